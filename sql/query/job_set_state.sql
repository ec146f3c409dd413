-- Whoever pauses a job needs no reason; the one of a former pause would mislead.
update @extschema@.vb_jobs
set state = $2, updated_at = clock_timestamp(),
    last_error = case when $2 <> 'paused' then last_error end,
    finished_at = case when $2 in ('completed', 'failed', 'cancelled') then coalesce(finished_at, clock_timestamp()) end
where job_id = $1
