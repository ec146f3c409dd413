select b.job_id, b.batch_id, b.records, b.attempt, b.started_at, b.age
from vb_active_batches b
where b.job_id = any ($1::bigint[])
order by b.job_id, b.batch_id
