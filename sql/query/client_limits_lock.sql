select from @extschema@.vb_client_limits where client_id = $1 for share
