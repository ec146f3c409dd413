-- One row: who this installation is. The id is the namespace of all point ids, so that two databases can share a store
-- and a restored copy of this database finds its own points again.
create table vb_installation (
    id        uuid    not null default pg_catalog.gen_random_uuid(),
    only_row  boolean primary key default true check (only_row)
);
comment on table vb_installation is 'The id of this installation, from which all point ids are made';
select pg_catalog.pg_extension_config_dump('vb_installation', '');
