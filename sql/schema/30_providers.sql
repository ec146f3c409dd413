-- Who makes embeddings. Keys are references (env:NAME or file:/path), never the key itself.
create table vb_providers (
    name                     text primary key check (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    kind                     text not null check (kind in ('onnx', 'openai', 'azure_openai', 'openai_compatible')),
    model                    text not null check (model <> ''),
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
    client_id                bigint check (client_id >= 0),
    options                  jsonb not null default '{}' check (pg_catalog.jsonb_typeof(options) = 'object'),
    seeded                   boolean not null default false
);
comment on table vb_providers is 'Embedding providers; speed is in records a second, quality from 0 to 1, cost in the currency of your contract';

-- A dump has the providers of this table as somebody may have changed them; where it is read back, CREATE EXTENSION has just
-- made the seeded ones anew.
create function vb_replace_seeded_provider() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from @extschema@.vb_providers p where p.name = new.name and p.seeded;
    return new;
end
$$;
comment on function vb_replace_seeded_provider() is 'Lets a dump of vb_providers be read back';

-- Figures of the product's published rules; the price is OpenAI's in US dollars. The files of the local model are those that
-- `make install` fetches.
insert into vb_providers (name, kind, model, dimensions, max_texts, max_tokens, max_request_tokens,
                          cost_per_million_tokens, quality, speed, enabled, seeded, options)
values ('sentence_transformers', 'onnx', 'all-MiniLM-L6-v2', 384, null, 256, null, 0, 0.8, 1000, true, true,
        '{"sha256": {"model.onnx": "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
                     "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"}}'),
       ('openai', 'openai', 'text-embedding-3-small', 1536, 2048, 8191, 300000, 0.02, 0.95, 100, false, true, '{}'),
       ('azure_openai', 'azure_openai', 'text-embedding-3-small', 1536, 2048, 8191, 300000, 0.02, 0.95, 500, false, true, '{}');

create trigger vb_replace_seeded_provider before insert on vb_providers
    for each row execute function vb_replace_seeded_provider();

select pg_catalog.pg_extension_config_dump('vb_providers', '');

-- What providers did so far, and how they were when the worker looked last. Speeds are learned from their calls.
create table vb_provider_usage (
    name                text primary key,
    requests            bigint not null default 0,
    errors              bigint not null default 0,
    throttled           bigint not null default 0,
    texts               bigint not null default 0,
    tokens              bigint not null default 0,
    cost                numeric not null default 0,
    records_per_second  real,
    tokens_per_second   real,
    latency_p50         interval,
    latency_p95         interval,
    concurrency         int,
    breaker             text,
    trouble             text,
    throttled_at        timestamptz,
    updated_at          timestamptz not null default pg_catalog.clock_timestamp()
);
comment on table vb_provider_usage is 'What providers did; read vb_provider_status instead';
select pg_catalog.pg_extension_config_dump('vb_provider_usage', '');
