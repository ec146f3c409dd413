-- Clients' own come before the common ones, better ones first; ties are broken as in the rules: openai before
-- azure_openai.
select p.name, p.kind, p.model, p.dimensions, p.endpoint, p.api_key_ref, p.max_texts, p.max_tokens, p.max_request_tokens,
       p.requests_per_minute, p.tokens_per_minute, p.client_id, p.enabled, p.options::text,
       coalesce(p.cost_per_million_tokens, 0)::float8 / 1000000
from @extschema@.vb_providers p
order by p.client_id is null, p.quality desc nulls last,
         array_position('{openai,azure_openai,sentence_transformers}'::text[], p.name), p.name
