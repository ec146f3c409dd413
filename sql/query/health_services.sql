-- Services that did not do what they should in the last minutes: whether their breaker is open, what was wrong, and how many
-- requests they sent away. What is older was not asked since.
select p.name, p.client_id, o.is_open, u.trouble, u.throttled, u.requests
from @extschema@.vb_providers p
join @extschema@.vb_provider_usage u on u.name = p.name
cross join lateral (
    select coalesce(u.breaker = 'open' and u.updated_at > clock_timestamp() - interval '2 minutes', false)
) o(is_open)
where p.enabled and (o.is_open or u.throttled_at > clock_timestamp() - interval '1 minute')
order by p.name
