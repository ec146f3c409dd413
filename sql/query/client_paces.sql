select client_id, max_records_per_second from @extschema@.vb_client_limits where max_records_per_second is not null
