update @extschema@.vb_collection_generations set active = true, job_id = null where name = $1
