-- Stores from which something should have been removed for a while: how many collections, and since when.
select r.store, count(*), to_char(min(r.not_before), 'YYYY-MM-DD HH24:MI:SS TZ')
from @extschema@.vb_collection_removals r
where r.not_before < clock_timestamp() - interval '5 minutes'
group by r.store
order by r.store
