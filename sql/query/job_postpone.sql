-- Something that may pass by itself: the job tries again later.
update @extschema@.vb_jobs
set attempts = attempts + 1, last_error = $2, updated_at = clock_timestamp(),
    next_attempt_at = clock_timestamp() + make_interval(secs => $3)
where job_id = $1 and state in ('queued', 'running')
