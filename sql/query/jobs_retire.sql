-- Not one whose last batches are still on their way, nor one that somebody has locked.
delete from @extschema@.vb_jobs
where job_id in (
    select j.job_id
    from @extschema@.vb_jobs j
    where j.state in ('completed', 'failed', 'cancelled') and j.finished_at < clock_timestamp() - make_interval(secs => $1)
      and not exists (select from @extschema@.vb_batches b where b.job_id = j.job_id and b.in_flight)
    for update skip locked
)
