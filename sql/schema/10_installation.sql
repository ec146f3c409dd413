-- Texts go to models, stores and JSON, all of which speak UTF-8 only.
do $$
begin
    if pg_catalog.getdatabaseencoding() operator(pg_catalog.<>) 'UTF8'::pg_catalog.name then
        raise exception using errcode = 'feature_not_supported',
            message = pg_catalog.format('vector_backfill does not support databases in encoding %s',
                pg_catalog.getdatabaseencoding()),
            hint = 'Create the database with ENCODING ''UTF8'' TEMPLATE template0.';
    end if;
end
$$;

-- One row: who this installation is. The id is the namespace of all point ids, so that two databases can share a store
-- and a restored copy of this database finds its own points again. Server and database say which of several copies may
-- use what the id names in a store that all of them reach.
create table vb_installation (
    id        uuid    not null default pg_catalog.gen_random_uuid(),
    server    bigint  not null,
    database  oid     not null,
    only_row  boolean primary key default true check (only_row)
);
comment on table vb_installation is 'The id of this installation, from which all point ids are made, and the server (system identifier) and database that its collections in Qdrant belong to';
select pg_catalog.pg_extension_config_dump('vb_installation', '');
