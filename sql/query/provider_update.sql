-- NULL keeps what is there; an empty text and the number 0 take it away, -1 the client.
update @extschema@.vb_providers p
set kind = coalesce($2, p.kind), model = coalesce($3, p.model),
    dimensions = nullif(coalesce($4, p.dimensions), 0),
    endpoint = nullif(coalesce($5, p.endpoint), ''),
    api_key_ref = nullif(coalesce($6, p.api_key_ref), ''),
    max_texts = nullif(coalesce($7, p.max_texts), 0),
    max_tokens = nullif(coalesce($8, p.max_tokens), 0),
    max_request_tokens = nullif(coalesce($9, p.max_request_tokens), 0),
    requests_per_minute = nullif(coalesce($10, p.requests_per_minute), 0),
    tokens_per_minute = nullif(coalesce($11, p.tokens_per_minute), 0),
    cost_per_million_tokens = coalesce($12, p.cost_per_million_tokens),
    quality = coalesce($13, p.quality),
    speed = nullif(coalesce($14, p.speed), 0::real),
    enabled = coalesce($15, p.enabled),
    client_id = nullif(coalesce($16, p.client_id), -1),
    options = coalesce($17::jsonb, p.options)
where p.name = $1
