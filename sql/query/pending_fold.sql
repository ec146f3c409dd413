-- So many records are better looked at all together.
with folded as (
    delete from @extschema@.vb_pending_changes
    where client_id = $1 and source = $2 and vector_type = $3 and record_id is not null
    returning changed_at
)
insert into @extschema@.vb_pending_changes (client_id, source, vector_type, record_id, changed_at)
select $1, $2, $3, null, coalesce(min(changed_at), clock_timestamp()) from folded
on conflict (client_id, source, vector_type, record_id) do update
set change_no = default, changed_at = least(vb_pending_changes.changed_at, excluded.changed_at)
