-- Whether a transaction that a former look has not seen, one that it saw under way ($2) or that began since ($1, the first of
-- these), queued or resumed a job, or noted changes; or whether a job that pauses became due within the last $3 seconds. The
-- system column has half of the number of a transaction, or of a part of one, which is larger: numbers are compared as it
-- compares them, from the first that was under way.
select exists (
    select from @extschema@.vb_jobs
    where (state = 'queued' and age(xmin) <= (
               select max(age((n::numeric % 4294967296)::text::xid)) from unnest($1 || $2::text[]) n))
       or (state = 'paused' and next_attempt_at between clock_timestamp() - make_interval(secs => $3) and clock_timestamp())
) or exists (
    select from @extschema@.vb_changes where changed_by >= $1::text::xid8 or changed_by = any($2::text[]::xid8[])
)
