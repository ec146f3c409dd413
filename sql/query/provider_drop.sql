delete from @extschema@.vb_providers where name = $1
