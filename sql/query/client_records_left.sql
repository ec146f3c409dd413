-- How many records a client may embed in a day, if that is limited; how many it did today, and the seconds left of the day.
select l.max_records_per_day,
       coalesce((select sum(u.records) from @extschema@.vb_client_usage u where u.client_id = $1 and u.day = d.day), 0)::bigint,
       extract(epoch from ((d.day + 1)::timestamp at time zone 'UTC') - clock_timestamp())::float8, d.day::text
from @extschema@.vb_client_limits l
cross join (select (clock_timestamp() at time zone 'UTC')::date as day) d
where l.client_id = $1 and l.max_records_per_day is not null
