select name from @extschema@.vb_collection_generations where name is not null and store = 'embedded'
