update @extschema@.vb_syncs
set applied = applied + $2, last_applied_at = clock_timestamp(), latency_p50 = $3, latency_p95 = $4, latency_max = $5
where source = $1
