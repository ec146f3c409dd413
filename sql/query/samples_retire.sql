-- Jobs that go on for ever keep no more of them than others.
delete from @extschema@.vb_job_samples where sampled_at < clock_timestamp() - make_interval(secs => $1)
