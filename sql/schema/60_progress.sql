-- Progress for people and dashboards.
create type vb_job_progress as (
    job_id bigint, client_id bigint, source regclass, vector_type text, state text, preference text,
    current_provider text, model text, total_records bigint, processed_records bigint, successful_records bigint,
    failed_records bigint, skipped_records bigint, current_batch int, total_batches int, percent numeric,
    records_per_second real, tokens bigint, cost numeric, created_at timestamptz, started_at timestamptz,
    updated_at timestamptz, finished_at timestamptz, estimated_completion timestamptz, errors text[], last_error text,
    reason text, priority int, batch_size int, removed_records bigint, truncated_records bigint,
    max_tokens bigint, max_cost numeric, kind text
);
comment on type vb_job_progress is 'A job and its progress';

-- What is written here runs with the rights of its owner: every view shows what the current role may see, and those that
-- only see (pg_monitor) get no texts, which may be those of rows. Operators are qualified, since our schema comes after
-- pg_catalog on the path, but an operator there could fit better, and would run as whoever reads the view.
create view vb_job_status with (security_barrier) as
select j.job_id, j.client_id, j.source, j.vector_type, j.state, j.preference,
       j.current_provider, j.model, j.total_records, p.processed as processed_records, j.successful_records,
       j.failed_records, j.skipped_records, j.current_batch,
       case when j.batch_size is null then null
            else greatest(j.current_batch,
                          pg_catalog.ceil((j.total_records operator(pg_catalog.-) j.skipped_records)::numeric
                                          operator(pg_catalog./) j.batch_size::numeric)::int) end as total_batches,
       case when j.total_records operator(pg_catalog.>) 0
            then least(pg_catalog.round(100.0 operator(pg_catalog.*) p.processed::numeric
                                        operator(pg_catalog./) j.total_records::numeric, 1), 100)
            when j.state operator(pg_catalog.=) 'completed' then 100.0
            else 0.0 end as percent,
       j.records_per_second, j.tokens, pg_catalog.trim_scale(j.cost) as cost, j.created_at, j.started_at,
       j.updated_at, j.finished_at,
       -- At most some 30 years ahead: a speed near nothing must not run out of the range of dates.
       case when j.state operator(pg_catalog.=) 'running' and j.records_per_second operator(pg_catalog.>) 0::real
            then pg_catalog.clock_timestamp() operator(pg_catalog.+) pg_catalog.make_interval(
                secs => least(greatest(j.total_records operator(pg_catalog.-) p.processed, 0)::double precision
                              operator(pg_catalog./) j.records_per_second::double precision, 1e9)) end
           as estimated_completion,
       case when r.reads
            then array(select pg_catalog.format('%s: %s', e.record_id, e.message)
                       from vb_job_errors e where e.job_id operator(pg_catalog.=) j.job_id
                       order by e.failed_at desc limit 5) end as errors,
       case when r.reads or j.last_error is null then j.last_error
            else pg_catalog.format('for roles that may read client %s', j.client_id) end as last_error,
       j.reason, j.priority, j.batch_size, j.removed_records, j.truncated_records, j.max_tokens, j.max_cost, j.kind
from vb_jobs j
cross join vb_caller c
cross join lateral (
    select j.successful_records operator(pg_catalog.+) j.failed_records operator(pg_catalog.+) j.skipped_records
) p(processed)
cross join lateral (select c.reads_all or j.client_id operator(pg_catalog.=) any (c.reads)) r(reads)
where c.sees_all or r.reads;
comment on view vb_job_status is 'All jobs with their progress';

-- A named type, since a parameter and a column of a returned table cannot both be called job_id.
create function vb_progress(job_id bigint default null) returns setof vb_job_progress
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select s.* from @extschema@.vb_job_status s where $1 is null or s.job_id = $1 order by s.job_id
$$;
comment on function vb_progress(bigint) is 'One row a job: state, counters, speed, estimated completion, latest errors';

create view vb_active_batches with (security_barrier) as
select b.job_id, b.batch_id, pg_catalog.cardinality(b.record_ids) as records, b.attempt, b.started_at,
       pg_catalog.clock_timestamp() operator(pg_catalog.-) b.started_at as age
from vb_batches b
join vb_jobs j on j.job_id operator(pg_catalog.=) b.job_id
cross join vb_caller c
where b.in_flight and (c.sees_all or j.client_id operator(pg_catalog.=) any (c.reads));
comment on view vb_active_batches is 'Batches that are being embedded and stored at this moment';

create view vb_error_report with (security_barrier) as
select e.job_id, j.client_id, j.source, j.vector_type, case when r.reads then e.record_id end as record_id, e.error_class,
       case when r.reads then e.message end as message, e.attempts, e.failed_at
from vb_job_errors e
join vb_jobs j on j.job_id operator(pg_catalog.=) e.job_id
cross join vb_caller c
cross join lateral (select c.reads_all or j.client_id operator(pg_catalog.=) any (c.reads)) r(reads)
where c.sees_all or r.reads;
comment on view vb_error_report is 'Records that could not be embedded, and why; keys and messages are for roles that may read the client';

create view vb_throughput with (security_barrier) as
select s.job_id, s.sampled_at, (s.records::double precision operator(pg_catalog./) d.seconds)::real as records_per_second,
       (s.tokens::double precision operator(pg_catalog./) d.seconds)::real as tokens_per_second,
       pg_catalog.make_interval(secs => s.batch_latency_p50) as batch_latency_p50,
       pg_catalog.make_interval(secs => s.batch_latency_p95) as batch_latency_p95, j.client_id,
       pg_catalog.make_interval(secs => s.covers) as covers, s.records, s.failed, s.tokens, s.batches
from vb_job_samples s
join vb_jobs j on j.job_id operator(pg_catalog.=) s.job_id
cross join vb_caller c
cross join lateral (select greatest(s.covers, 0.001)) d(seconds)
where c.sees_all or j.client_id operator(pg_catalog.=) any (c.reads);
comment on view vb_throughput is 'How fast a job was, moment by moment: what it did in the time before sampled_at that the sample covers, records with those that failed; latencies from reading a batch to recording it';

create view vb_top with (security_barrier) as
select s.job_id as job, s.client_id as client, pg_catalog."left"(s.source::text, 15) as source,
       pg_catalog."left"(case when s.kind operator(pg_catalog.=) 'sync' then 'changes' else s.vector_type end, 10) as what, s.state,
       pg_catalog.rpad(pg_catalog.repeat('#', pg_catalog.floor(s.percent operator(pg_catalog./) 10)::int), 10, '.') as progress,
       s.percent as "%", s.processed_records as done, s.failed_records as failed,
       case when s.state operator(pg_catalog.=) 'running'
            then pg_catalog.round(s.records_per_second::numeric, 1) end as "rec/s",
       case when s.finished_at is not null
            then pg_catalog.date_trunc('second', s.finished_at operator(pg_catalog.-) s.started_at)
            else pg_catalog.date_trunc('second', s.estimated_completion operator(pg_catalog.-) pg_catalog.clock_timestamp())
       end as "left/took"
from vb_job_status s
-- Changes that are followed for ever are of interest while there are some.
where s.finished_at is null or (s.kind operator(pg_catalog.=) 'backfill'
                                and s.finished_at operator(pg_catalog.>) (pg_catalog.clock_timestamp() operator(pg_catalog.-) interval '15 minutes'))
order by s.finished_at is not null, s.finished_at desc, s.priority desc, s.job_id
limit 30;
comment on view vb_top is 'Jobs that have not ended and those that ended in the last 15 minutes, for a terminal: select * from vb_top \watch 1';
