delete from @extschema@.vb_changes where source = $1
