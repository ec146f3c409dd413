-- What it has in its store is to be removed.
with forgotten as (
    delete from @extschema@.vb_collection_generations where collection_id = $1
    returning store, name, is_shared, client_id
)
insert into @extschema@.vb_collection_removals (store, name, client_id, is_shared)
select f.store, f.name, f.client_id, f.is_shared from forgotten f where f.name is not null
