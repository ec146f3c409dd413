-- Numbers of the changes of these records, and since when they wait.
select k.record_id, p.change_no, p.changed_at
from unnest($4::text[]) as k(record_id)
cross join lateral (
    select c.change_no, c.changed_at
    from @extschema@.vb_pending_changes c
    where c.client_id = $1 and c.source = $2 and c.vector_type = $3 and c.record_id = k.record_id
    offset 0
) p
