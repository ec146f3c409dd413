-- $1 those that are left alone, $2 at most so many. What the client has there again, or what others have where no client is
-- meant, is not to be removed any more (the last column); where others have shares, only the client's goes.
select r.removal_id, r.store, r.name, case when o.has_others then r.client_id end,
       o.has_own or (o.has_others and r.client_id is null)
from @extschema@.vb_collection_removals r
cross join lateral (
    select coalesce(bool_or(g.client_id = r.client_id), false) as has_own,
           coalesce(bool_or(g.client_id is distinct from r.client_id), false) as has_others
    from @extschema@.vb_collection_generations g
    where g.store = r.store and g.name = r.name
) o
where r.removal_id <> all($1) and r.not_before <= clock_timestamp()
order by r.removal_id
limit $2
