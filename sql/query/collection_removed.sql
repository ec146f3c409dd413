delete from @extschema@.vb_collection_removals where removal_id = any($1)
