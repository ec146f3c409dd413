-- $1 jobs that are active already, $2 active jobs a client may have unless its limits say otherwise (8 at most), $3 how many are wanted.
-- Clients come in turn: the best job of each, then the second best. None whose hours are closed.
select job_id, client_id, source::oid, vector_type, preference, requested_provider, requested_batch_size, max_retries,
       priority, reembed, job_role::oid, source_name, kind
from (
    select j.*, row_number() over (
        partition by j.client_id order by (j.job_id = any($1)) desc, j.priority desc, j.job_id
    ) as turn
    from @extschema@.vb_jobs j
    where j.kind = 'backfill' and j.state in ('queued', 'running')
      and (j.job_id = any($1) or j.next_attempt_at is null or j.next_attempt_at <= clock_timestamp())
) ranked
where turn <= least(8, coalesce(
    (select l.max_jobs from @extschema@.vb_client_limits l where l.client_id = ranked.client_id), $2))
  and job_id <> all($1) and not ($4 or client_id = any($5))
order by turn, priority desc, job_id
limit $3
