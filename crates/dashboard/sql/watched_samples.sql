-- Five minutes: the page draws the last of them, the spread of the estimate needs all.
select t.job_id, t.sampled_at, t.records_per_second, t.tokens_per_second, t.batch_latency_p50, t.batch_latency_p95,
       t.client_id, t.covers, t.records, t.failed, t.tokens, t.batches, t.sampled_at > now() - interval '30 seconds' as shown
from vb_throughput t
where t.job_id = any ($1::bigint[]) and t.sampled_at > now() - interval '5 minutes'
order by t.job_id, t.sampled_at
