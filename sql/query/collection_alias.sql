select alias from @extschema@.vb_collection_generations where collection_id = $1 and active
