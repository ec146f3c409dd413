select job_id from @extschema@.vb_jobs where state = 'paused' and next_attempt_at <= clock_timestamp() order by job_id
