-- $1 those that are being removed, $2 at most so many.
select removal_id, store, name, case when is_share then client_id end
from @extschema@.vb_collection_removals
where removal_id <> all($1) and not_before <= clock_timestamp()
order by removal_id
limit $2
