select job_id, state, priority, coalesce(requested_batch_size, batch_size), concurrency
from @extschema@.vb_jobs where job_id = any($1)
