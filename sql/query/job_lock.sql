select state, client_id, source::oid, source_name, vector_type, reembed
from @extschema@.vb_jobs where job_id = $1 for update
