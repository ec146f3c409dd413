-- $4 whether the one that makes vectors anew is meant.
select job_id, state, preference, requested_provider, requested_batch_size, priority, reembed,
       max_tokens, max_cost
from @extschema@.vb_jobs
where client_id = $1 and source = $2 and vector_type = $3 and reembed = $4 and kind = 'backfill'
  and state in ('queued', 'running', 'paused')
