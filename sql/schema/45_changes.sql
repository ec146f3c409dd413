-- Sources whose vectors follow their rows. The layout is what was last seen of the table, its settings and its files: when
-- it is another one, rows may have changed without a trigger.
create table vb_syncs (
    source           regclass primary key,
    vector_types     text[] not null check (pg_catalog.cardinality(vector_types) > 0),
    sync_role        regrole not null,
    layout           text not null default '',
    columns          jsonb not null default '{}',
    applied          bigint not null default 0,
    last_applied_at  timestamptz,
    latency_p50      interval,
    latency_p95      interval,
    latency_max      interval,
    enabled_at       timestamptz not null default pg_catalog.clock_timestamp()
);
comment on table vb_syncs is 'Sources that vb_enable_sync keeps in step, as whom they are read, and what became of their changes; read vb_sync_status() instead';

-- What transactions changed, as their triggers noted it at the end: nothing is ever updated here, so that nobody waits for
-- another. Without a record id all rows of the client are meant, without a client those of all.
create table vb_changes (
    source      regclass not null,
    client_id   bigint,
    record_id   text,
    changed_by  xid8 not null default pg_catalog.pg_current_xact_id(),
    changed_at  timestamptz not null default pg_catalog.clock_timestamp(),
    check (client_id is not null or record_id is null)
);
-- By which the worker finds what it has not seen yet, however many dead rows there are.
create index vb_changes_changed_by on vb_changes (changed_by);
comment on table vb_changes is 'Changes that the worker has not taken over yet';

-- The same, taken over by the worker: folded, and kept until vectors and references say what the rows say. A change that
-- comes again gets a new number, so that whoever has looked at the row before does not take it for done.
create table vb_pending_changes (
    client_id    bigint not null,
    source       regclass not null,
    vector_type  text not null,
    record_id    text,
    change_no    bigint generated always as identity,
    changed_at   timestamptz not null,
    unique nulls not distinct (client_id, source, vector_type, record_id)
);
create index vb_pending_changes_everything on vb_pending_changes (client_id, source, vector_type) where record_id is null;
comment on table vb_pending_changes is 'Records whose vectors are to be looked at; without a record id, all of the client';

-- How many rows with text a client has: counted whenever all are looked at, and kept up with by changes.
create table vb_counted_records (
    client_id    bigint not null,
    source       regclass not null,
    vector_type  text not null,
    records      bigint not null,
    counted_at   timestamptz not null default pg_catalog.clock_timestamp(),
    primary key (client_id, source, vector_type)
);
comment on table vb_counted_records is 'Rows with text, as the last look at all of them found them, and changes since; read vb_coverage instead';

select pg_catalog.pg_extension_config_dump('vb_syncs', '');
select pg_catalog.pg_extension_config_dump('vb_changes', '');
select pg_catalog.pg_extension_config_dump('vb_pending_changes', '');
select pg_catalog.pg_extension_config_dump('vb_pending_changes_change_no_seq', '');
