delete from @extschema@.vb_collection_generations where name = $1
