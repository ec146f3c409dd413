-- Jobs that wait for a new day look at once whether there is more to spend; one that somebody has locked does so when its time comes.
update @extschema@.vb_jobs set next_attempt_at = clock_timestamp()
where job_id in (
    select j.job_id from @extschema@.vb_jobs j
    where j.client_id = $1 and j.state = 'paused' and j.next_attempt_at is not null
    for update skip locked
)
