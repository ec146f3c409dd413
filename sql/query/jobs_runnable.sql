-- $1 jobs that are active already, $2 active jobs a client may have, $3 how many are wanted. Clients come in turn: the
-- best job of each, then the second best.
select job_id, client_id, source::oid, vector_type, preference, requested_provider, requested_batch_size, max_retries,
       priority, reembed, job_role, source_name, kind
from (
    select *, row_number() over (partition by client_id order by (job_id = any($1)) desc, priority desc, job_id) as turn
    from @extschema@.vb_jobs
    where kind = 'backfill' and state in ('queued', 'running')
      and (job_id = any($1) or next_attempt_at is null or next_attempt_at <= clock_timestamp())
) ranked
where turn <= $2 and job_id <> all($1)
order by turn, priority desc, job_id
limit $3
