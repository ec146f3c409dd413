-- What went wrong before does not count any more, and no wait is left.
update @extschema@.vb_jobs
set state = $2, attempts = 0, next_attempt_at = null, last_error = null, finished_at = null,
    updated_at = clock_timestamp()
where job_id = $1
