select j.job_id, j.client_id, j.source::text as source, j.vector_type, j.kind, j.total_records, j.processed_records,
       j.failed_records, j.records_per_second, j.tokens, extract(epoch from j.updated_at) as updated, j.state = 'running' as running,
       case when j.estimated_completion is not null
            then greatest(j.estimated_completion - clock_timestamp(), interval '0') end as remaining
from vb_job_status j
where j.finished_at is null
