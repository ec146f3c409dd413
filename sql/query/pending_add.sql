-- One look into the index for each, whatever the planner knows of a table that grows and shrinks all the time.
insert into @extschema@.vb_pending_changes (client_id, source, vector_type, record_id, changed_at)
select k.client_id, k.source, k.vector_type, k.record_id, k.changed_at
from rows from (unnest($1::bigint[]), unnest($2::oid[]), unnest($3::text[]), unnest($4::text[]), unnest($5::timestamptz[]))
     as k(client_id, source, vector_type, record_id, changed_at)
on conflict (client_id, source, vector_type, record_id) do update
set change_no = default, changed_at = least(vb_pending_changes.changed_at, excluded.changed_at)
