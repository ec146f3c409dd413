select l.job_id, l.client_id, l.source::text as source, l.vector_type, l.record_id, l.error_class, l.message, l.attempts,
       l.failed_at
from unnest($1::bigint[]) w(job_id)
cross join lateral (
    select e.job_id, e.client_id, e.source, e.vector_type, e.record_id, e.error_class, e.message, e.attempts, e.failed_at
    from vb_error_report e
    where e.job_id = w.job_id
    order by e.failed_at desc, e.record_id
    limit 20
) l
order by l.job_id, l.failed_at desc, l.record_id
