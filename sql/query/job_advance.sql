-- $11 the provider that made the vectors, if any were made. $10 records that turned out to need no work: they leave the total.
update @extschema@.vb_jobs
set successful_records = successful_records + $2, failed_records = failed_records + $3,
    skipped_records = skipped_records + $4, removed_records = removed_records + $5,
    truncated_records = truncated_records + $6, tokens = tokens + $7,
    cost = cost + $7 * coalesce((select p.cost_per_million_tokens from @extschema@.vb_providers p
                                 where p.name = $11), 0) / 1000000,
    records_per_second = coalesce($8, records_per_second), current_batch = current_batch + $9,
    total_records = greatest(total_records - $10, successful_records + $2 + failed_records + $3 + skipped_records + $4),
    attempts = 0, last_error = case when $2 > 0 and state = 'running' then null else last_error end, updated_at = clock_timestamp()
where job_id = $1
