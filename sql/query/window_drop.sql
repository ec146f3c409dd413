delete from @extschema@.vb_windows where client_id is not distinct from $1
