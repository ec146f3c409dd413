-- Jobs that go on for ever keep no more of them than others. One whose row somebody has locked keeps them until the next time.
with free as (
    select j.job_id
    from @extschema@.vb_jobs j
    where j.job_id in (
        select s.job_id from @extschema@.vb_job_samples s
        where s.resolution = any('{5,60,600,3600}') and s.sampled_at < clock_timestamp() - make_interval(secs => $1)
    )
    for key share skip locked
)
delete from @extschema@.vb_job_samples s
using free
where s.job_id = free.job_id and s.sampled_at < clock_timestamp() - make_interval(secs => $1)
