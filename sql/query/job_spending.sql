-- What jobs may spend, what they did, and what their provider takes for a token now.
select j.job_id, j.max_tokens, j.max_cost::float8, j.tokens, j.cost::float8,
       coalesce(p.cost_per_million_tokens, 0)::float8 / 1000000
from @extschema@.vb_jobs j
left join @extschema@.vb_providers p on p.name = j.current_provider
where j.job_id = any($1)
