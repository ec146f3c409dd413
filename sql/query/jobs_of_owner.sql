select job_id from @extschema@.vb_jobs where client_id = $1 and source = $2 and vector_type = $3
