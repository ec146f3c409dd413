-- Whoever pauses a job needs no reason, and it stays paused; the reason of a former pause would mislead.
update @extschema@.vb_jobs
set state = $2, updated_at = clock_timestamp(), next_attempt_at = case when $2 <> 'paused' then next_attempt_at end,
    last_error = case when $2 <> 'paused' then last_error end,
    finished_at = case when $2 in ('completed', 'failed', 'cancelled') then coalesce(finished_at, clock_timestamp()) end
where job_id = $1
