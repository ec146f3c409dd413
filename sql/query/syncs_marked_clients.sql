-- All that clients with vectors or changes of a source have is to be looked at, for the vector types in $2.
insert into @extschema@.vb_pending_changes (client_id, source, vector_type, record_id, changed_at)
select k.client_id, $1, k.vector_type, null, clock_timestamp()
from (
    select g.client_id, g.vector_type from @extschema@.vb_collection_generations g where g.source = $1 and g.active
    union
    select j.client_id, j.vector_type from @extschema@.vb_jobs j where j.source = $1 and j.kind = 'sync'
) k
where k.vector_type = any($2)
on conflict (client_id, source, vector_type, record_id) do update set change_no = default
