-- Of which clients, sources and vector types something is pending, of one source or of all.
select distinct client_id, source::oid, vector_type from @extschema@.vb_pending_changes where $1::oid is null or source = $1
