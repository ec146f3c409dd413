-- An empty text and the number 0 mean the same as NULL.
insert into @extschema@.vb_providers
    (name, kind, model, dimensions, endpoint, api_key_ref, max_texts, max_tokens, max_request_tokens,
     requests_per_minute, tokens_per_minute, cost_per_million_tokens, quality, speed, enabled, client_id, options)
values ($1, $2, $3, nullif($4, 0), nullif($5, ''), nullif($6, ''), nullif($7, 0), nullif($8, 0), nullif($9, 0),
        nullif($10, 0), nullif($11, 0), coalesce($12, 0), $13, nullif($14, 0::real), coalesce($15, true), nullif($16, -1),
        coalesce($17::jsonb, '{}'))
