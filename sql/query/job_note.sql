-- What keeps a running job waiting, until it moves on. Whoever has it locked is not waited for.
update @extschema@.vb_jobs
set last_error = $2, updated_at = clock_timestamp()
where job_id = (select j.job_id from @extschema@.vb_jobs j where j.job_id = $1 and j.state = 'running' for no key update skip locked)
