-- Where a client has points, or may have some that are still to be removed; whole collections where nobody else has a share.
select g.store, g.name,
       case when g.is_shared and exists (
           select from @extschema@.vb_collection_generations o
           where o.store = g.store and o.name = g.name and o.client_id <> g.client_id)
       then g.client_id end
from @extschema@.vb_collection_generations g
where g.client_id = $1 and g.name is not null
union
select r.store, r.name, case when r.is_share then r.client_id end
from @extschema@.vb_collection_removals r
where r.client_id = $1
