-- Jobs that a worker would be at, and changes that it would take over.
select (
    select count(*) from @extschema@.vb_jobs
    where (state in ('queued', 'running') and (next_attempt_at is null or next_attempt_at <= clock_timestamp()))
       or (state = 'paused' and next_attempt_at <= clock_timestamp())
) + (select count(*) from @extschema@.vb_changes)
