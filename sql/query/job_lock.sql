select state, client_id, source::oid, source_name, vector_type, reembed,
       state = 'paused' and next_attempt_at is not null, kind = 'sync'
from @extschema@.vb_jobs where job_id = $1 for update
