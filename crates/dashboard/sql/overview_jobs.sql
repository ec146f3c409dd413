-- Without the errors of each job, which cost a look at all of them.
select j.job_id, j.client_id, j.source::text as source, j.vector_type, j.state, j.preference, j.current_provider, j.model,
       j.total_records, j.processed_records, j.successful_records, j.failed_records, j.skipped_records, j.current_batch,
       j.total_batches, j.percent, j.records_per_second, j.tokens, j.cost, j.created_at, j.started_at, j.updated_at,
       j.finished_at, j.estimated_completion, j.last_error, j.reason, j.priority, j.batch_size, j.removed_records,
       j.truncated_records, j.max_tokens, j.max_cost, j.kind
from vb_job_status j
order by j.finished_at is not null,
         case j.state when 'running' then 1 when 'paused' then 2 else 3 end,
         coalesce(j.finished_at, j.created_at) desc, j.job_id desc
limit 50
