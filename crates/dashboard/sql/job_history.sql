-- At most 600 points, each of the same span of time, whatever the spans of the samples are.
select max(t.sampled_at) as at, sum(t.covers) as covers,
       (sum(t.records_per_second * extract(epoch from t.covers)) / nullif(sum(extract(epoch from t.covers)), 0))::real
           as records_per_second,
       (sum(t.tokens_per_second * extract(epoch from t.covers)) / nullif(sum(extract(epoch from t.covers)), 0))::real
           as tokens_per_second,
       avg(t.batch_latency_p50) as p50, max(t.batch_latency_p95) as p95, sum(t.records)::bigint as records,
       sum(t.failed)::bigint as failed
from vb_throughput t
cross join (
    select greatest(extract(epoch from max(s.sampled_at) - min(s.sampled_at)) / 599, 1) as width, min(s.sampled_at) as start
    from vb_throughput s
    where s.job_id = $1
) w
where t.job_id = $1
group by floor(extract(epoch from t.sampled_at - w.start) / w.width)
order by at
