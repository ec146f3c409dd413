-- Without the errors of each job, which cost a look at all of them.
select j.job_id, j.client_id, j.source::text as source, j.vector_type, j.state, j.preference, j.current_provider, j.model,
       j.total_records, j.processed_records, j.successful_records, j.failed_records, j.skipped_records, j.current_batch,
       j.total_batches, j.percent, j.records_per_second, j.tokens, j.cost, j.created_at, j.started_at, j.updated_at,
       j.finished_at, j.estimated_completion, j.last_error, j.reason, j.priority, j.batch_size, j.removed_records,
       j.truncated_records, j.max_tokens, j.max_cost, j.kind
from vb_job_status j
where ($1::text[] is null or j.state = any ($1))
  and ($2::bigint is null or j.client_id = $2)
  and ($3::text is null or position(lower($3) in lower(j.source::text)) > 0)
  and ($4::bigint is null or j.job_id < $4)
order by j.job_id desc
limit $5
