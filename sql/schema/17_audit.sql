-- Who did what that others may ask about. Names instead of numbers: roles come and go.
create table vb_audit_events (
    event_id      bigint generated always as identity primary key,
    at            timestamptz not null default pg_catalog.clock_timestamp(),
    action        text not null,
    role          text not null,
    session_role  text not null,
    client_id     bigint,
    job_id        bigint,
    subject       text,
    detail        jsonb not null default '{}' check (pg_catalog.jsonb_typeof(detail) operator(pg_catalog.=) 'object')
);
create index vb_audit_events_at on vb_audit_events (at);
comment on table vb_audit_events is 'Who did what; read vb_audit instead';
select pg_catalog.pg_extension_config_dump('vb_audit_events', '');
select pg_catalog.pg_extension_config_dump('vb_audit_events_event_id_seq', '');

create view vb_audit with (security_barrier) as
select e.event_id, e.at, e.action, e.role, e.session_role, e.client_id, e.job_id, e.subject, e.detail
from vb_audit_events e
cross join vb_caller c
where c.reads_all or e.client_id operator(pg_catalog.=) any (c.reads);
comment on view vb_audit is 'Who enqueued, controlled, purged, granted and configured what, and when; what is about all clients is for those who may read all';
