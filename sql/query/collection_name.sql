update @extschema@.vb_collection_generations set name = $2 where collection_id = $1
