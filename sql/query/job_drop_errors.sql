-- Records that a job set aside: all, or these.
delete from @extschema@.vb_job_errors where job_id = $1 and ($2 is null or record_id = any($2))
