-- $2 paused or failed, $3 the reason.
update @extschema@.vb_jobs
set state = $2, last_error = $3, updated_at = clock_timestamp(),
    finished_at = case when $2 = 'failed' then clock_timestamp() end
where job_id = $1
