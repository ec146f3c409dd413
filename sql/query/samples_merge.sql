-- Samples older than $1 seconds become one for each $2 seconds, but for jobs whose row somebody has locked. The middle of latencies
-- is their mean, weighted with batches.
with cut as (
    select date_bin(make_interval(secs => $2), clock_timestamp() - make_interval(secs => $1), 'epoch') as moment
), free as (
    select j.job_id
    from @extschema@.vb_jobs j
    where j.job_id in (select s.job_id from @extschema@.vb_job_samples s, cut where s.resolution < $2 and s.sampled_at < cut.moment)
    for key share skip locked
), old as (
    delete from @extschema@.vb_job_samples s
    using free, cut
    where s.job_id = free.job_id and s.resolution < $2 and s.sampled_at < cut.moment
    returning s.*
)
insert into @extschema@.vb_job_samples
    (job_id, sampled_at, resolution, covers, records, failed, tokens, batches, batch_latency_p50, batch_latency_p95)
select job_id, max(sampled_at), $2, sum(covers), sum(records), sum(failed), sum(tokens), sum(batches),
       sum(batch_latency_p50 * batches) / nullif(sum(batches) filter (where batch_latency_p50 is not null), 0),
       max(batch_latency_p95)
from old
group by job_id, date_bin(make_interval(secs => $2), sampled_at, 'epoch')
