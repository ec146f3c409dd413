-- Who may do what with the vectors of which client; without a client, with those of all. Each level has what is in the one
-- before: to read is to search and to see progress, to write is to enqueue and control as well. Administrators say how
-- things are set up, for everybody.
create table vb_client_access (
    role        regrole not null,
    client_id   bigint check (client_id >= 0),
    level       text not null check (level in ('read', 'write', 'admin')),
    granted_by  regrole not null,
    granted_at  timestamptz not null default pg_catalog.clock_timestamp(),
    unique nulls not distinct (role, client_id),
    check (level <> 'admin' or client_id is null)
);
comment on table vb_client_access is 'Who may do what with which client, all of them where it is NULL; set with vb_grant_access';
select pg_catalog.pg_extension_config_dump('vb_client_access', '');

-- What the current role may do, its own grants and those of roles whose rights it has. One row, which every view and
-- policy of ours asks. Whoever owns the extension may do everything; pg_monitor sees all clients, and reads none.
create view vb_caller as
select a.administers, a.reads_all, a.reads_all or pg_catalog.pg_has_role('pg_monitor', 'usage') as sees_all, a.reads,
       a.writes_all, a.writes
from (
    select o.administers or coalesce(pg_catalog.bool_or(g.level operator(pg_catalog.=) 'admin'), false) as administers,
           o.administers or coalesce(pg_catalog.bool_or(g.level is not null and g.client_id is null), false) as reads_all,
           coalesce(pg_catalog.array_agg(g.client_id) filter (where g.client_id is not null), '{}') as reads,
           o.administers or coalesce(pg_catalog.bool_or(g.level operator(pg_catalog.<>) 'read' and g.client_id is null), false)
               as writes_all,
           coalesce(pg_catalog.array_agg(g.client_id) filter (where g.client_id is not null
                                                                and g.level operator(pg_catalog.<>) 'read'), '{}') as writes
    from (
        select coalesce(pg_catalog.bool_or(pg_catalog.pg_has_role(e.extowner, 'usage')), false) as administers
        from pg_catalog.pg_extension e where e.extname operator(pg_catalog.=) 'vector_backfill'
    ) o
    left join (
        select c.level, c.client_id from vb_client_access c where pg_catalog.pg_has_role(c.role, 'usage')
    ) g on true
    group by o.administers
) a;
comment on view vb_caller is 'What the current role may do: whether it administers, whose vectors it may read and whose jobs it may control (all, or these clients''), and whether it sees the progress of all';

create view vb_access with (security_barrier) as
select a.role, a.client_id, a.level, a.granted_by, a.granted_at
from vb_client_access a
cross join vb_caller c
where c.administers or pg_catalog.pg_has_role(a.role, 'usage');
comment on view vb_access is 'Who may do what with which client, all of them where it is NULL: all there is for administrators, else what the current role has';
