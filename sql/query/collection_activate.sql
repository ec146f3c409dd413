update @extschema@.vb_collection_generations set active = true, job_id = null where collection_id = $1
