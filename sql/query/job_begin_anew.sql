-- What was counted went with the collection that was being built. Records that were set aside still are.
update @extschema@.vb_jobs
set successful_records = 0, removed_records = 0, truncated_records = 0, current_batch = 0
where job_id = $1
