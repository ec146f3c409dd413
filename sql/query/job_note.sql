-- What keeps a running job waiting, until it moves on.
update @extschema@.vb_jobs set last_error = $2, updated_at = clock_timestamp() where job_id = $1 and state = 'running'
