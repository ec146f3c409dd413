-- Takes what was committed since a former snapshot: by transactions that it saw under way ($2), or that began since ($1, the
-- first of these). $3 at most so many.
delete from @extschema@.vb_changes
where ctid = any(array(
    select c.ctid from @extschema@.vb_changes c where c.changed_by >= $1::text::xid8
    union all
    select c.ctid from @extschema@.vb_changes c where c.changed_by = any($2::text[]::xid8[])
    limit $3
))
returning source::oid, client_id, record_id, changed_at
