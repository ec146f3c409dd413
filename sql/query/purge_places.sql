-- Where a client has points, or may have some: what a move that did not come to its end has left in another store, and what is
-- still to be removed. Of shared collections its share; who else has one may change at any moment. The last column says
-- whether something is known to be there.
select s.store, c.name, case when c.is_shared then $1::bigint end, s.store = any(c.stores)
from (
    select k.name, bool_or(k.is_shared) as is_shared, array_agg(k.store) as stores
    from (
        select g.name, g.is_shared, g.store from @extschema@.vb_collection_generations g
        where g.client_id = $1 and g.name is not null
        union all
        select r.name, r.is_shared, r.store from @extschema@.vb_collection_removals r where r.client_id = $1
    ) k
    group by k.name
) c
cross join (values ('embedded'), ('qdrant')) as s(store)
