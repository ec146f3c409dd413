update @extschema@.vb_jobs
set state = $2, finished_at = clock_timestamp(), updated_at = clock_timestamp(), next_attempt_at = null,
    last_error = null, total_records = successful_records + failed_records + skipped_records,
    records_per_second = case when successful_records + failed_records > 0
        then (successful_records + failed_records) / greatest(extract(epoch from clock_timestamp() - started_at), 0.001) end
where job_id = $1
