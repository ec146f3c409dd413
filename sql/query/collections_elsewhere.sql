-- Collections that searches read or jobs build and that are not in store $1, client by client; and whether something of that
-- name is still to be removed there.
select g.collection_id, g.client_id, g.name, g.store, g.is_shared, g.dimensions, case when g.active then g.alias end,
       exists (select from @extschema@.vb_collection_removals r where r.store = $1 and r.name = g.name),
       g.source::oid, g.vector_type
from @extschema@.vb_collection_generations g
where g.store <> $1 and g.name is not null and g.retired_at is null
order by g.client_id, g.collection_id
