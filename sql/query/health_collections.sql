select g.name
from @extschema@.vb_collection_generations g
where g.active and g.store = 'embedded'
  and exists (select from @extschema@.qdrant_vectors v
              where v.client_id = g.client_id and v.source = g.source and v.vector_type = g.vector_type)
order by g.name
