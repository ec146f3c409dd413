-- The latest sample of each job that is worked at: one is written every 5 s. Job by job, since samples are found by their job.
select coalesce(sum(l.records_per_second), 0)::real as records_per_second,
       coalesce(sum(l.tokens_per_second), 0)::real as tokens_per_second
from vb_job_status j
cross join lateral (
    select t.records_per_second, t.tokens_per_second
    from vb_throughput t
    where t.job_id = j.job_id and t.sampled_at > now() - interval '15 seconds'
    order by t.sampled_at desc
    limit 1
) l
where j.state = 'running'
