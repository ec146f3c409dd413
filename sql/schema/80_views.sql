-- Views over functions and settings, for people and dashboards.
create view vb_sources as
select s.source, coalesce(s.priority, vb_default_priority(s.source)) as priority, t.vector_type, s.client_column,
       s.key_columns, s.active_column, s.order_column, t.text_columns, t.template, t.chunk_tokens, t.chunk_overlap
from vb_source_settings s
left join vb_source_texts t on t.source operator(pg_catalog.=) s.source;
comment on view vb_sources is 'Tables that are or were embedded; NULL columns follow the rules for unconfigured tables';

create view vb_worker_status as
select w.pid, w.state, w.since, w.memory_bytes, w.waiting_for, w.preloaded from vb_worker_list() w;
comment on view vb_worker_status is 'The worker of this database; no row when none runs';
