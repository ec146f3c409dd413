select name from @extschema@.vb_collection_generations where name = any($1) and not active
