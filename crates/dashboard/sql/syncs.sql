select s.source::text as source, s.pending, s.oldest_pending, s.applied, s.failed, s.last_applied_at, s.vector_types,
       s.latency_p50, s.latency_p95, s.latency_max, s.trouble
from vb_sync_status() s
order by 1
