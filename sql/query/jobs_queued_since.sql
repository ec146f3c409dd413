-- Whether a job was queued or resumed by a transaction that a former look has not seen: one that it saw under way ($2), or
-- that began since ($1, the first of these); or whether one that pauses became due within the last $3 seconds. The system
-- column has half of a transaction's number, so the numbers are compared as it compares them.
select exists (
    select from @extschema@.vb_jobs
    where (state = 'queued'
           and (pg_catalog.age(xmin) <= pg_catalog.age(($1::numeric % 4294967296)::text::xid)
                or xmin = any(array(select (n::numeric % 4294967296)::text::xid from unnest($2::text[]) n))))
       or (state = 'paused' and next_attempt_at between clock_timestamp() - make_interval(secs => $3) and clock_timestamp())
)
