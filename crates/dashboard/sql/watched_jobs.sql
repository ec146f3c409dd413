select j.job_id, j.client_id, j.source::text as source, j.vector_type, j.state, j.preference, j.current_provider, j.model,
       j.total_records, j.processed_records, j.successful_records, j.failed_records, j.skipped_records, j.current_batch,
       j.total_batches, j.percent, j.records_per_second, j.tokens, j.cost, j.created_at, j.started_at, j.updated_at,
       j.finished_at, j.estimated_completion, j.last_error, j.reason, j.priority, j.batch_size, j.removed_records,
       j.truncated_records, j.max_tokens, j.max_cost, j.kind
from vb_job_status j
where j.job_id = any ($1::bigint[])
