-- Records that failed before and have a vector now.
delete from @extschema@.vb_job_errors where job_id = $1 and record_id = any($2)
