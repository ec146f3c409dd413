-- A collection that another client has with the same source, type and vector space, in which this client has nothing and
-- of which nothing is still to be removed.
select g.name
from @extschema@.vb_collection_generations g
where g.is_shared and g.source = $2 and g.vector_type = $3 and g.model = $4 and g.dimensions = $5 and g.store = $6
  and not exists (select from @extschema@.vb_collection_generations o
                  where o.client_id = $1 and o.store = g.store and o.name = g.name)
  and not exists (select from @extschema@.vb_collection_removals r
                  where r.store = g.store and r.name = g.name)
order by g.collection_id
limit 1
