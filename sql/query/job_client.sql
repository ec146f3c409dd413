select client_id from @extschema@.vb_jobs where job_id = $1
