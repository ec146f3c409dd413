-- Stores that did not answer the worker a moment ago.
select o.store, to_char(o.since, 'YYYY-MM-DD HH24:MI:SS TZ'), o.message
from @extschema@.vb_store_outages o
where o.noted_at > clock_timestamp() - interval '30 seconds'
order by o.store
