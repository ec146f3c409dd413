delete from @extschema@.vb_batches b using @extschema@.vb_jobs j
where j.job_id = b.job_id and not b.in_flight and j.state in ('completed', 'failed', 'cancelled')
