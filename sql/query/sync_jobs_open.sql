-- A job for each client, source and vector type with changes; one that has ended is opened again.
insert into @extschema@.vb_jobs
    (client_id, source, source_name, vector_type, preference, max_retries, priority, kind, job_role)
select k.client_id, k.source, pg_catalog.format('%I.%I', n.nspname, c.relname), k.vector_type, 'auto', 3,
       coalesce(p.priority, @extschema@.vb_default_priority(k.source::regclass)), 'sync', s.sync_role
from rows from (unnest($1::bigint[]), unnest($2::oid[]), unnest($3::text[])) as k(client_id, source, vector_type)
join @extschema@.vb_syncs s on s.source = k.source
join pg_catalog.pg_class c on c.oid = k.source
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join @extschema@.vb_source_settings p on p.source = k.source
-- One that is there is left alone: somebody may have it locked.
where not exists (
    select from @extschema@.vb_jobs j
    where j.kind = 'sync' and j.client_id = k.client_id and j.source = k.source and j.vector_type = k.vector_type
      and j.state in ('queued', 'running', 'paused')
)
on conflict (client_id, source, vector_type) where kind = 'sync' do update
set state = 'queued', finished_at = null, last_error = null, attempts = 0, next_attempt_at = null,
    job_role = excluded.job_role, source_name = excluded.source_name, updated_at = clock_timestamp()
where vb_jobs.state in ('completed', 'failed', 'cancelled')
