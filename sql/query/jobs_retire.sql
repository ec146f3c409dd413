delete from @extschema@.vb_jobs
where state in ('completed', 'failed', 'cancelled') and finished_at < clock_timestamp() - make_interval(secs => $1)
