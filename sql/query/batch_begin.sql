insert into @extschema@.vb_batches (job_id, record_ids, attempt) values ($1, $2, $3) returning batch_id
