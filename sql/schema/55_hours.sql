-- Hours of the day in which no backfill works, of one client or, without one, of all. Those from evening to morning go past
-- midnight; a day is the one on which they begin, 1 for Monday to 7 for Sunday.
create table vb_windows (
    client_id     bigint check (client_id >= 0),
    closed_from   time not null,
    closed_until  time not null,
    days          int[] not null default '{1,2,3,4,5,6,7}'
                  check (days operator(pg_catalog.<@) '{1,2,3,4,5,6,7}'::int[] and pg_catalog.cardinality(days) > 0),
    time_zone     text not null,
    unique nulls not distinct (client_id),
    check (closed_from <> closed_until)
);
comment on table vb_windows is 'Hours in which no backfill works; set with vb_set_window';

-- Backfills that come again and again. The pattern is that of cron: minute, hour, day of the month, month, day of the week.
create table vb_backfill_schedules (
    schedule_id   bigint generated always as identity primary key,
    client_id     bigint not null check (client_id >= 0),
    source        regclass not null,
    vector_type   text not null,
    schedule      text not null,
    time_zone     text not null,
    preference    text not null,
    provider      text,
    priority      int,
    asked_by      regrole not null,
    next_run      timestamptz not null,
    last_run      timestamptz,
    last_job      bigint,
    last_error    text,
    unique (client_id, source, vector_type)
);
comment on table vb_backfill_schedules is 'Backfills that come again and again; read vb_schedules instead';

create view vb_schedules with (security_barrier) as
select s.schedule_id, s.client_id, s.source, s.vector_type, s.schedule, s.time_zone, s.next_run, s.last_run, s.last_job,
       case when r.reads or s.last_error is null then s.last_error
            else pg_catalog.format('for roles that may read client %s', s.client_id) end as last_error,
       s.preference, s.provider, s.priority, s.asked_by
from vb_backfill_schedules s
cross join vb_caller c
cross join lateral (select c.reads_all or s.client_id operator(pg_catalog.=) any (c.reads)) r(reads)
where c.sees_all or r.reads;
comment on view vb_schedules is 'Backfills that come again and again: when, and what became of the last one';

select pg_catalog.pg_extension_config_dump('vb_windows', '');
select pg_catalog.pg_extension_config_dump('vb_backfill_schedules', '');
select pg_catalog.pg_extension_config_dump('vb_backfill_schedules_schedule_id_seq', '');
