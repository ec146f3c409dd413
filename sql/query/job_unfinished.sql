-- $4 whether one that builds a collection beside the one that serves counts; then it goes first.
select job_id, state, preference, requested_provider, requested_batch_size, priority, reembed,
       max_tokens, max_cost
from @extschema@.vb_jobs
where client_id = $1 and source = $2 and vector_type = $3 and state in ('queued', 'running', 'paused')
  and ($4 or not reembed)
order by reembed desc
limit 1
