select p.name, p.kind, p.model, p.available, p.reason, p.requests, p.errors, p.throttled, p.latency_p50, p.latency_p95,
       p.tokens, p.cost, p.concurrency, p.breaker, p.records_per_second, p.tokens_per_second, p.updated_at, p.client_id,
       -- One that was reported some time ago says nothing.
       coalesce(p.breaker = 'open' and p.updated_at > clock_timestamp() - interval '2 minutes', false) as breaker_open
from vb_provider_status p
order by p.name
