-- Something that may pass by itself: the job tries again later. $3 the first pause, $4 the longest, in seconds.
update @extschema@.vb_jobs
set attempts = attempts + 1, last_error = $2, updated_at = clock_timestamp(),
    next_attempt_at = clock_timestamp() + make_interval(secs => least($3 * 2 ^ least(attempts, 20), $4))
where job_id = $1 and state in ('queued', 'running')
