select batch_id, record_ids, attempt, crashes, suspect
from @extschema@.vb_batches where job_id = $1 and not in_flight order by batch_id
