-- How many collections a client may have, if that is limited, and how many it has.
select l.max_collections,
       (select count(*) from @extschema@.vb_collection_generations g where g.client_id = $1 and g.active)
from @extschema@.vb_client_limits l
where l.client_id = $1 and l.max_collections is not null
