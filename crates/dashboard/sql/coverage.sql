select c.client_id, c.source::text as source, c.vector_type, c.records, c.embedded, c.stale, c.failed, c.pending,
       c.oldest_pending, c.percent, c.counted_at, c.in_step, c.latency_p50, c.latency_p95
from vb_coverage c
order by coalesce(c.pending, 0) + coalesce(c.stale, 0) + coalesce(c.failed, 0) desc, c.client_id, source, c.vector_type
