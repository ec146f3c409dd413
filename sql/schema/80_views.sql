-- Views over functions and settings, for people and dashboards.
create view vb_sources with (security_barrier) as
select s.source, coalesce(s.priority, vb_default_priority(s.source)) as priority, t.vector_type, s.client_column,
       s.key_columns, s.active_column, s.order_column, t.text_columns, t.template, t.chunk_tokens, t.chunk_overlap,
       s.payload_columns
from vb_source_settings s
left join vb_source_texts t on t.source operator(pg_catalog.=) s.source
cross join vb_caller c
where c.sees_all or pg_catalog.has_table_privilege(s.source::oid, 'select');
comment on view vb_sources is 'Tables that are or were embedded; NULL columns follow the rules for unconfigured tables';

create view vb_collections with (security_barrier) as
select g.name, g.client_id, g.source, g.vector_type, g.model, g.dimensions, g.generation,
       case when g.active
            then (select pg_catalog.count(*) from qdrant_vectors v
                  where v.client_id operator(pg_catalog.=) g.client_id and v.source operator(pg_catalog.=) g.source
                    and v.vector_type operator(pg_catalog.=) g.vector_type and v.collection operator(pg_catalog.=) g.name)
            else (select pg_catalog.count(*) from vb_next_vectors v
                  where v.client_id operator(pg_catalog.=) g.client_id and v.source operator(pg_catalog.=) g.source
                    and v.vector_type operator(pg_catalog.=) g.vector_type and v.collection operator(pg_catalog.=) g.name)
       end as points,
       g.store,
       case when g.active then 'serving' when g.retired_at is null then 'building' else 'retired' end as stage,
       g.is_shared, g.alias, g.provider, g.created_at
from vb_collection_generations g
cross join vb_caller c
where g.name is not null and (c.sees_all or g.client_id operator(pg_catalog.=) any (c.reads));
comment on view vb_collections is 'Where the vectors of each client, source and vector type are: the collection, its model and store; points as recorded here, which vb_verify compares with the store';

create view vb_coverage with (security_barrier) as
select o.client_id, o.source, o.vector_type, r.records, e.embedded, s.stale, f.failed,
       case when c.counted_at is not null
            then greatest(r.records operator(pg_catalog.-) e.embedded operator(pg_catalog.-) f.failed, 0) end as pending, s.oldest_pending,
       case when c.counted_at is null then null
            when r.records operator(pg_catalog.>) 0
            then least(pg_catalog.round(
                100.0 operator(pg_catalog.*) greatest(e.embedded operator(pg_catalog.-) s.stale, 0)::numeric operator(pg_catalog./) r.records, 1), 100.0)
            else 100.0 end as percent,
       c.counted_at, y.source is not null as in_step, y.latency_p50, y.latency_p95
from (
    select b.client_id, b.source, b.vector_type
    from (
        select g.client_id, g.source, g.vector_type from vb_collection_generations g where g.active
        union
        select p.client_id, p.source, p.vector_type from vb_counted_records p
    ) b
    cross join vb_caller a
    where a.sees_all or b.client_id operator(pg_catalog.=) any (a.reads)
) o
left join vb_counted_records c
    on c.client_id operator(pg_catalog.=) o.client_id and c.source operator(pg_catalog.=) o.source
       and c.vector_type operator(pg_catalog.=) o.vector_type
left join vb_syncs y
    on y.source operator(pg_catalog.=) o.source and o.vector_type operator(pg_catalog.=) any (y.vector_types)
cross join lateral (
    select pg_catalog.count(*) as embedded
    from qdrant_vectors v
    where v.client_id operator(pg_catalog.=) o.client_id and v.source operator(pg_catalog.=) o.source
      and v.vector_type operator(pg_catalog.=) o.vector_type and v.chunk_no operator(pg_catalog.=) 0
) e
cross join lateral (
    select pg_catalog.count(distinct x.record_id) as failed
    from vb_job_errors x
    join vb_jobs j on j.job_id operator(pg_catalog.=) x.job_id
    where j.client_id operator(pg_catalog.=) o.client_id and j.source operator(pg_catalog.=) o.source
      and j.vector_type operator(pg_catalog.=) o.vector_type
      and not exists (
          select from qdrant_vectors v
          where v.client_id operator(pg_catalog.=) o.client_id and v.source operator(pg_catalog.=) o.source
            and v.vector_type operator(pg_catalog.=) o.vector_type and v.record_id operator(pg_catalog.=) x.record_id
      )
) f
cross join lateral (
    select greatest(coalesce(c.records, 0), e.embedded operator(pg_catalog.+) f.failed) as records
) r
cross join lateral (
    select pg_catalog.count(v.record_id) as stale,
           pg_catalog.clock_timestamp() operator(pg_catalog.-) pg_catalog.min(p.changed_at) as oldest_pending
    from vb_pending_changes p
    left join qdrant_vectors v
        on v.client_id operator(pg_catalog.=) o.client_id and v.source operator(pg_catalog.=) o.source
           and v.vector_type operator(pg_catalog.=) o.vector_type and v.record_id operator(pg_catalog.=) p.record_id
           and v.chunk_no operator(pg_catalog.=) 0
    where p.client_id operator(pg_catalog.=) o.client_id and p.source operator(pg_catalog.=) o.source
      and p.vector_type operator(pg_catalog.=) o.vector_type
) s;
comment on view vb_coverage is 'How much of each client''s rows has vectors that say what the rows say: rows with text as they were counted last, those embedded, those that changed and wait, and for how long; NULL where all were never counted';

create view vb_worker_status as
select w.pid, w.state, w.since, w.memory_bytes, w.waiting_for, w.preloaded from vb_worker_list() w;
comment on view vb_worker_status is 'The worker of this database; no row when none runs';

-- What all clients together had of a provider is not for one of them.
create view vb_provider_status with (security_barrier) as
select p.name, p.kind, p.model, l.available and not coalesce(b.is_open, false) as available,
       coalesce(l.reason, case when b.is_open and (c.reads_all or p.client_id operator(pg_catalog.=) any (c.reads)) then u.trouble
                               when b.is_open then 'it does not answer at the moment' end) as reason,
       case when c.sees_all then coalesce(u.requests, 0) end as requests,
       case when c.sees_all then coalesce(u.errors, 0) end as errors,
       case when c.sees_all then coalesce(u.throttled, 0) end as throttled,
       case when c.sees_all then u.latency_p50 end as latency_p50,
       case when c.sees_all then u.latency_p95 end as latency_p95,
       case when c.sees_all then coalesce(u.tokens, 0) end as tokens,
       case when c.sees_all then pg_catalog.trim_scale(coalesce(u.cost, 0)) end as cost,
       case when c.sees_all then u.concurrency end as concurrency,
       u.breaker, coalesce(u.records_per_second, p.speed) as records_per_second, u.tokens_per_second,
       case when c.sees_all then u.updated_at end as updated_at, p.client_id
from vb_providers p
cross join vb_caller c
join vb_provider_list() l on l.name operator(pg_catalog.=) p.name
left join vb_provider_usage u on u.name operator(pg_catalog.=) p.name
-- A breaker that nobody asked lately says nothing.
cross join lateral (
    select u.breaker operator(pg_catalog.=) 'open'
           and u.updated_at operator(pg_catalog.>) (pg_catalog.clock_timestamp() operator(pg_catalog.-) interval '2 minutes')
) b(is_open)
where c.sees_all or p.client_id is null or p.client_id operator(pg_catalog.=) any (c.reads);
comment on view vb_provider_status is 'Providers: whether they can be used, what they did, how fast they are, what they cost';

create view vb_client_spending with (security_barrier) as
select u.client_id, u.day, pg_catalog.sum(u.tokens)::bigint as tokens, pg_catalog.trim_scale(pg_catalog.sum(u.cost)) as cost,
       l.max_tokens_per_day, l.max_cost_per_day, pg_catalog.sum(u.records)::bigint as records, l.max_records_per_day
from vb_client_usage u
cross join vb_caller c
left join vb_client_limits l on l.client_id operator(pg_catalog.=) u.client_id
where c.sees_all or u.client_id operator(pg_catalog.=) any (c.reads)
group by u.client_id, u.day, l.max_tokens_per_day, l.max_cost_per_day, l.max_records_per_day;
comment on view vb_client_spending is 'What each client''s work and searches spent in each day of UTC, and what they may spend in a day';
