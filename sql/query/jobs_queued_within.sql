select exists (
    select from @extschema@.vb_jobs
    where (state = 'queued' and updated_at > clock_timestamp() - make_interval(secs => $1))
       or (state = 'paused' and next_attempt_at between clock_timestamp() - make_interval(secs => $1) and clock_timestamp())
)
