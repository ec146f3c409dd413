-- $2 priority, $3 records a batch, $4 batches at a time or 0 for no bound; NULL keeps a value.
update @extschema@.vb_jobs
set priority = coalesce($2, priority), requested_batch_size = coalesce($3, requested_batch_size),
    batch_size = case when batch_size is not null then coalesce($3, batch_size) end,
    concurrency = case when $4 is null then concurrency else nullif($4, 0) end, updated_at = clock_timestamp()
where job_id = $1
