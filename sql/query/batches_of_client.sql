select exists (
    select from @extschema@.vb_batches b join @extschema@.vb_jobs j on j.job_id = b.job_id
    where j.client_id = $1 and b.in_flight
)
