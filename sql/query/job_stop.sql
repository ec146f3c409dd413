-- $2 paused or failed, $3 the reason, $4 the seconds after which a paused job goes on by itself, if it does. One
-- that follows changes always tries again.
update @extschema@.vb_jobs
set state = $2, last_error = $3, updated_at = clock_timestamp(),
    next_attempt_at = clock_timestamp() + make_interval(secs => coalesce($4, case when kind = 'sync' then 60 end)),
    finished_at = case when $2 = 'failed' then clock_timestamp() end
where job_id = $1
