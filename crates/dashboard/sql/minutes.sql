-- The last 60 minutes, one point each. The present one is left out until enough of it is over to say how fast it is. Job by
-- job, since samples are found by their job.
select m.at, (coalesce(s.records, 0) / m.seconds)::real as records_per_second,
       (coalesce(s.tokens, 0) / m.seconds)::real as tokens_per_second
from (
    select g.at, least(extract(epoch from now() - g.at), 60) as seconds
    from generate_series(date_trunc('minute', now()) - interval '60 minutes', date_trunc('minute', now()),
                         interval '1 minute') g(at)
    where g.at <= now() - interval '15 seconds'
    order by g.at desc
    limit 60
) m
left join (
    select l.at, sum(l.records) as records, sum(l.tokens) as tokens
    from vb_job_status j
    cross join lateral (
        select date_trunc('minute', t.sampled_at) as at, sum(t.records) as records, sum(t.tokens) as tokens
        from vb_throughput t
        where t.job_id = j.job_id and t.sampled_at >= date_trunc('minute', now()) - interval '60 minutes'
        group by 1
    ) l
    where j.updated_at >= date_trunc('minute', now()) - interval '60 minutes'
    group by l.at
) s on s.at = m.at
order by m.at
