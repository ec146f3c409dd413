-- $2 paused or failed, $3 the reason, $4 the seconds after which a paused job goes on by itself, if it does.
update @extschema@.vb_jobs
set state = $2, last_error = $3, updated_at = clock_timestamp(),
    next_attempt_at = clock_timestamp() + make_interval(secs => $4),
    finished_at = case when $2 = 'failed' then clock_timestamp() end
where job_id = $1
