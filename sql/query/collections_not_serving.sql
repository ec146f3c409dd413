select collection_id from @extschema@.vb_collection_generations
where store = 'embedded' and name = any($1) and not active
