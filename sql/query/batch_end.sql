delete from @extschema@.vb_batches where batch_id = $1
