select job_id, state, preference, requested_provider, requested_batch_size, priority, reembed
from @extschema@.vb_jobs
where client_id = $1 and source = $2 and vector_type = $3 and state in ('queued', 'running', 'paused')
