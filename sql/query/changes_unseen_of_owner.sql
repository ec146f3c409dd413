-- Records of a client that have changed and are still to be looked at.
select p.record_id from @extschema@.vb_pending_changes p
where p.client_id = $1 and p.source = $2 and p.vector_type = $3 and p.record_id is not null
union
select c.record_id from @extschema@.vb_changes c where c.client_id = $1 and c.source = $2 and c.record_id is not null
