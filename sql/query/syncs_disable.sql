delete from @extschema@.vb_syncs where source = $1
