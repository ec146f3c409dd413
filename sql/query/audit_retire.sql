delete from @extschema@.vb_audit_events where at < clock_timestamp() - make_interval(secs => $1)
