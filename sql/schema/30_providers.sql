-- Who makes embeddings. Keys are references (env:NAME or file:/path), never the key itself.
create table vb_providers (
    name                     text primary key check (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    kind                     text not null check (kind in ('onnx', 'openai', 'azure_openai', 'openai_compatible')),
    model                    text not null,
    dimensions               int check (dimensions between 1 and 65536),
    endpoint                 text,
    api_key_ref              text check (api_key_ref ~ '^(env:[A-Za-z_][A-Za-z0-9_]*|file:/.+)$'),
    max_texts                int check (max_texts > 0),
    max_tokens               int check (max_tokens > 0),
    max_request_tokens       int check (max_request_tokens > 0),
    requests_per_minute      int check (requests_per_minute > 0),
    tokens_per_minute        int check (tokens_per_minute > 0),
    cost_per_million_tokens  numeric not null default 0 check (cost_per_million_tokens >= 0::numeric),
    quality                  real check (quality between 0::real and 1::real),
    speed                    real check (speed > 0::real),
    enabled                  boolean not null default true,
    client_id                bigint,
    options                  jsonb not null default '{}' check (pg_catalog.jsonb_typeof(options) = 'object')
);
comment on table vb_providers is 'Embedding providers; speed is in records a second, quality from 0 to 1, cost in the currency of your contract';

insert into vb_providers (name, kind, model, dimensions, max_tokens, quality, speed)
values ('sentence_transformers', 'onnx', 'all-MiniLM-L6-v2', 384, 256, 0.8, 1000);

select pg_catalog.pg_extension_config_dump('vb_providers', $$where name <> 'sentence_transformers'$$);
