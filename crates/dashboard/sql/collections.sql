select c.name, c.client_id, c.source::text as source, c.vector_type, c.model, c.dimensions, c.generation, c.points, c.store,
       c.stage, c.is_shared, c.alias, c.provider, c.created_at
from vb_collections c
order by c.client_id, source, c.vector_type, c.generation
