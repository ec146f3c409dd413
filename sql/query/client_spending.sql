-- This day of these clients, as JSON, which settings of the session do not change: its date, the seconds until it ends, what may be spent and what is.
select coalesce(json_agg(json_build_object(
           'client_id', c.client_id, 'date', d.day,
           'seconds_left', extract(epoch from ((d.day + 1)::timestamp at time zone 'UTC') - clock_timestamp()),
           'max_tokens', l.max_tokens_per_day, 'max_cost', l.max_cost_per_day,
           'tokens', coalesce(u.tokens, 0), 'cost', least(coalesce(u.cost, 0), 1e300))), '[]')::text
from unnest($1::bigint[]) as c(client_id)
cross join (select (clock_timestamp() at time zone 'UTC')::date as day) d
left join @extschema@.vb_client_limits l on l.client_id = c.client_id
cross join lateral (
    select sum(u.tokens)::bigint as tokens, sum(u.cost) as cost
    from @extschema@.vb_client_usage u where u.client_id = c.client_id and u.day = d.day
) u
