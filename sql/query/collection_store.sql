select store from @extschema@.vb_collection_generations where collection_id = $1
