select client_id, time_zone from @extschema@.vb_windows
