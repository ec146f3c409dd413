select job_id, state from @extschema@.vb_jobs where job_id = any($1)
