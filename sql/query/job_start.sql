-- $6 records that need work, $7 rows without text, if that is known. What a former run of the same job did stays counted.
update @extschema@.vb_jobs
set state = $8, started_at = coalesce(started_at, clock_timestamp()), updated_at = clock_timestamp(),
    current_provider = $2, model = $3, reason = $4, batch_size = $5, skipped_records = coalesce($7, skipped_records),
    total_records = successful_records + failed_records + coalesce($7, skipped_records) + $6
where job_id = $1
