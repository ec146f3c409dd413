select p.cost_per_million_tokens::float8, u.tokens_per_second::float8,
       coalesce(u.records_per_second, p.speed)::float8
from @extschema@.vb_providers p
left join @extschema@.vb_provider_usage u on u.name = p.name
where p.name = $1
