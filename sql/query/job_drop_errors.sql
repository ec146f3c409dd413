delete from @extschema@.vb_job_errors where job_id = $1
