-- Records of a job that were set aside.
select failed_records::bigint from @extschema@.vb_jobs where job_id = $1
