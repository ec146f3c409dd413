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

-- A named type, since a parameter and a column of a returned table cannot both be called job_id. Our schema is not on
-- the path: an operator or function that somebody put there could fit better than the one of pg_catalog, and would run
-- as us.
create function vb_progress(job_id bigint default null) returns setof vb_job_progress
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
    select j.job_id, j.client_id, j.source, j.vector_type, j.state, j.preference,
           j.current_provider, j.model, j.total_records, p.processed, j.successful_records,
           j.failed_records, j.skipped_records, j.current_batch,
           case when j.batch_size is null then null
                else greatest(j.current_batch,
                              ceil((j.total_records - j.skipped_records)::numeric / j.batch_size)::int) end,
           case when j.total_records > 0 then least(round(100.0 * p.processed / j.total_records, 1), 100)
                when j.state = 'completed' then 100.0
                else 0.0 end,
           j.records_per_second, j.tokens, trim_scale(j.cost), j.created_at, j.started_at,
           j.updated_at, j.finished_at,
           -- At most some 30 years ahead: a speed near nothing must not run out of the range of dates.
           case when j.state = 'running' and j.records_per_second > 0
                then clock_timestamp() + make_interval(
                    secs => least(greatest(j.total_records - p.processed, 0) / j.records_per_second, 1e9)) end,
           array(select format('%s: %s', e.record_id, e.message)
                 from @extschema@.vb_job_errors e where e.job_id = j.job_id order by e.failed_at desc limit 5),
           j.last_error, j.reason, j.priority, j.batch_size, j.removed_records, j.truncated_records,
           j.max_tokens, j.max_cost, j.kind
    from @extschema@.vb_jobs j,
         lateral (select j.successful_records + j.failed_records + j.skipped_records as processed) p
    where $1 is null or j.job_id = $1
    order by j.job_id
$$;
comment on function vb_progress(bigint) is 'One row a job: state, counters, speed, estimated completion, latest errors';

create view vb_job_status as select * from vb_progress();
comment on view vb_job_status is 'All jobs with their progress';

create view vb_active_batches as
select b.job_id, b.batch_id, pg_catalog.cardinality(b.record_ids) as records, b.attempt, b.started_at,
       pg_catalog.clock_timestamp() - b.started_at as age
from vb_batches b
where b.in_flight;
comment on view vb_active_batches is 'Batches that are being embedded and stored at this moment';

create view vb_error_report as
select e.job_id, j.client_id, j.source, j.vector_type, e.record_id, e.error_class, e.message, e.attempts, e.failed_at
from vb_job_errors e join vb_jobs j using (job_id);
comment on view vb_error_report is 'Records that could not be embedded, and why';
