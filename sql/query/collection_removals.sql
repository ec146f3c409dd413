-- $1 those that are being removed, $2 at most so many.
select removal_id, store, name, client_id
from @extschema@.vb_collection_removals
where removal_id <> all($1)
order by removal_id
limit $2
