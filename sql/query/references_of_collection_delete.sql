delete from @extschema@.@references@ v
using @extschema@.vb_collection_generations g
where g.name = $1 and v.collection = g.name
  and v.client_id = g.client_id and v.source = g.source and v.vector_type = g.vector_type
