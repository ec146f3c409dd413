select client_id, source::oid, vector_type, change_no from @extschema@.vb_pending_changes where record_id is null
