update @extschema@.vb_jobs
set total_records = successful_records + failed_records + $3 + $2, skipped_records = $3, updated_at = clock_timestamp()
where job_id = $1 and state = 'running'
