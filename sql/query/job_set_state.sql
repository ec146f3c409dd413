update @extschema@.vb_jobs
set state = $2, updated_at = clock_timestamp(),
    finished_at = case when $2 in ('completed', 'failed', 'cancelled') then coalesce(finished_at, clock_timestamp()) end
where job_id = $1
