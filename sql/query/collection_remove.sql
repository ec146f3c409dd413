-- What it has in its store is to be removed: all of it, or the client's share when others have shares too.
with forgotten as (
    delete from @extschema@.vb_collection_generations where collection_id = $1
    returning collection_id, store, name, is_shared, client_id
)
insert into @extschema@.vb_collection_removals (store, name, client_id, is_share)
select f.store, f.name, f.client_id,
       f.is_shared and exists (
           select from @extschema@.vb_collection_generations g
           where g.store = f.store and g.name = f.name and g.collection_id <> f.collection_id)
from forgotten f
where f.name is not null
