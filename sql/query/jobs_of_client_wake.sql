-- Jobs that wait for a new day look at once whether there is more to spend.
update @extschema@.vb_jobs set next_attempt_at = clock_timestamp()
where client_id = $1 and state = 'paused' and next_attempt_at is not null
