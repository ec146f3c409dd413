-- Collections in use whose vectors this provider made, and for which no other enabled one has the model.
select count(*)
from @extschema@.vb_collection_generations c
where c.active and c.provider = $1
  and not exists (
      select from @extschema@.vb_providers p
      where p.name <> $1 and p.enabled and p.model = c.model and coalesce(p.dimensions, c.dimensions) = c.dimensions
        and coalesce(p.client_id, c.client_id) = c.client_id)
