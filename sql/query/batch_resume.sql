update @extschema@.vb_batches
set in_flight = true, record_ids = $2, started_at = clock_timestamp()
where batch_id = $1
