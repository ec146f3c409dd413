-- All records of a client were looked at since this change.
delete from @extschema@.vb_pending_changes
where client_id = $1 and source = $2 and vector_type = $3 and record_id is null and change_no = $4
