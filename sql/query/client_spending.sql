-- This day of these clients: its date, the seconds until it ends, what may be spent and what is.
select c.client_id, d.day::text,
       extract(epoch from ((d.day + 1)::timestamp at time zone 'UTC') - clock_timestamp())::float8,
       l.max_tokens_per_day, l.max_cost_per_day::float8, coalesce(u.tokens, 0)::bigint, coalesce(u.cost, 0)::float8
from unnest($1::bigint[]) as c(client_id)
cross join (select (clock_timestamp() at time zone 'UTC')::date as day) d
left join @extschema@.vb_client_limits l on l.client_id = c.client_id
cross join lateral (
    select sum(u.tokens) as tokens, sum(u.cost) as cost
    from @extschema@.vb_client_usage u where u.client_id = c.client_id and u.day = d.day
) u
