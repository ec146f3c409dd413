-- A collection is pinned to one vector space; another model means another generation.
create table vb_collection_generations (
    collection_id  bigint generated always as identity primary key,
    name           text,
    alias          text,
    client_id      bigint not null,
    source         regclass not null,
    vector_type    text not null,
    provider       text not null,
    model          text not null,
    dimensions     int not null check (dimensions > 0),
    generation     int not null default 1 check (generation > 0),
    store          text not null check (store in ('embedded', 'qdrant')),
    is_shared      boolean not null default false,
    active         boolean not null default true,
    job_id         bigint,
    retired_at     timestamptz,
    chunk_tokens   int,
    chunk_overlap  int,
    renew_before   timestamptz,
    created_at     timestamptz not null default pg_catalog.now(),
    unique (client_id, source, vector_type, generation),
    check (not is_shared or alias is null),
    check (not active or (job_id is null and retired_at is null))
);
create unique index vb_collection_generations_active
    on vb_collection_generations (client_id, source, vector_type) where active;
create index vb_collection_generations_idle on vb_collection_generations (collection_id) where not active;
-- Clients may share a collection, but none has two shares of it.
create unique index vb_collection_generations_name on vb_collection_generations (store, name, client_id);
create unique index vb_collection_generations_whole on vb_collection_generations (store, name) where not is_shared;
comment on table vb_collection_generations is 'Collections in the vector store, the model each is pinned to and how texts were cut; vectors from before renew_before were cut in another way. One that is not active is being built by a job, or was retired and goes soon';

-- What is to be removed from a store that may not answer at the moment: a client's share, or, where nobody has a share any
-- more, the whole collection. That is decided when it is done. Without a client only what nobody has is meant.
create table vb_collection_removals (
    removal_id  bigint generated always as identity primary key,
    store       text not null check (store in ('embedded', 'qdrant')),
    name        text not null,
    client_id   bigint,
    is_shared   boolean not null,
    not_before  timestamptz not null default pg_catalog.now()
);
comment on table vb_collection_removals is 'Collections, or clients'' shares of them, that nothing refers to any more and that are still to be removed from their store';

-- Stores that do not answer at the moment. The worker says so every few seconds: what it has not said lately is over.
create table vb_store_outages (
    store     text primary key check (store in ('embedded', 'qdrant')),
    since     timestamptz not null,
    message   text not null,
    noted_at  timestamptz not null default pg_catalog.clock_timestamp()
);
comment on table vb_store_outages is 'Stores that do not answer the worker; read vb_health() instead';

-- Each chunk of each record that has a vector.
create table qdrant_vectors (
    client_id     bigint not null,
    source        regclass not null,
    vector_type   text not null,
    record_id     text not null,
    chunk_no      int not null check (chunk_no >= 0),
    collection    text not null,
    point_id      uuid not null,
    provider      text not null,
    model         text not null,
    dimensions    int not null,
    content_hash  bytea not null,
    token_count   int not null,
    embedded_at   timestamptz not null default pg_catalog.now(),
    fields_hash   bytea not null default '',
    primary key (client_id, source, vector_type, record_id, chunk_no)
);
comment on table qdrant_vectors is 'One row for each vector in the store, with the hash of the text it was made from; fields_hash is that of the payload columns, empty where none are declared';

-- The same of collections that are being built. They take the place of the others when the job is complete.
create table vb_next_vectors (like qdrant_vectors including all);
comment on table vb_next_vectors is 'What qdrant_vectors will have once the collections that are being built are complete';

-- The job that builds a collection is not in a dump either.
select pg_catalog.pg_extension_config_dump('vb_collection_generations', 'where active');
select pg_catalog.pg_extension_config_dump('vb_collection_generations_collection_id_seq', '');
select pg_catalog.pg_extension_config_dump('vb_collection_removals', '');
select pg_catalog.pg_extension_config_dump('vb_collection_removals_removal_id_seq', '');
select pg_catalog.pg_extension_config_dump('qdrant_vectors', '');
