-- How many points a collection should have.
select case when g.active
            then (select count(*) from @extschema@.qdrant_vectors v
                  where v.client_id = g.client_id and v.source = g.source and v.vector_type = g.vector_type
                    and v.collection = g.name)
            else (select count(*) from @extschema@.vb_next_vectors v
                  where v.client_id = g.client_id and v.source = g.source and v.vector_type = g.vector_type
                    and v.collection = g.name)
       end
from @extschema@.vb_collection_generations g
where g.collection_id = $1
