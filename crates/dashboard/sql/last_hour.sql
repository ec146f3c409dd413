-- Job by job, since samples are found by their job.
select coalesce(sum(l.records), 0)::bigint as records, coalesce(sum(l.tokens), 0)::bigint as tokens,
       coalesce(sum(l.failed), 0)::bigint as failed
from vb_job_status j
cross join lateral (
    select sum(t.records) as records, sum(t.tokens) as tokens, sum(t.failed) as failed
    from vb_throughput t
    where t.job_id = j.job_id and t.sampled_at > now() - interval '1 hour'
) l
where j.updated_at > now() - interval '1 hour'
