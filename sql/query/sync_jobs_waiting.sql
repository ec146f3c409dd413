-- Those who have waited longest first: jobs of changes that are not active. $1 those that are, $2 how many are wanted.
select job_id, client_id, source::oid, vector_type, preference, requested_provider, requested_batch_size, max_retries,
       priority, reembed, job_role::oid, source_name, kind
from @extschema@.vb_jobs
where kind = 'sync' and state in ('queued', 'running') and job_id <> all($1)
  and (next_attempt_at is null or next_attempt_at <= clock_timestamp())
order by updated_at, job_id
limit $2
