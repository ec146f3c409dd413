-- Of these records of a client ($4), those whose change is known and will be looked at by the job of changes.
select k.record_id
from unnest($4::text[]) as k(record_id)
where exists (
    select from @extschema@.vb_syncs s where s.source = $2 and $3 = any(s.vector_types)
) and not exists (
    select from @extschema@.vb_jobs j
    where j.kind = 'sync' and j.client_id = $1 and j.source = $2 and j.vector_type = $3 and j.state = 'paused'
) and (
    exists (
        select from @extschema@.vb_pending_changes p
        where p.client_id = $1 and p.source = $2 and p.vector_type = $3 and p.record_id = k.record_id
    ) or k.record_id in (
        select c.record_id from @extschema@.vb_changes c
        where c.client_id = $1 and c.source = $2 and c.record_id is not null
    )
)
