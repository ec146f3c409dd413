update @extschema@.vb_jobs
set failed_records = greatest(failed_records - $2, 0), total_records = greatest(total_records - $2, 0)
where job_id = $1
