select state, xmin from @extschema@.vb_jobs where job_id = $1
