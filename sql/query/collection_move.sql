-- It is in another store now. What it has in the former one goes as soon as no search can read it there any more. $2 the store,
-- $3 seconds that a search may take.
with moved as (
    update @extschema@.vb_collection_generations g set store = $2
    from (select o.collection_id, o.store as former from @extschema@.vb_collection_generations o
          where o.collection_id = $1 for update) o
    where g.collection_id = o.collection_id
    returning o.former, g.name, g.is_shared, g.client_id
)
insert into @extschema@.vb_collection_removals (store, name, client_id, is_shared, not_before)
select m.former, m.name, m.client_id, m.is_shared, clock_timestamp() + make_interval(secs => $3)
from moved m
