update @extschema@.vb_backfill_schedules
set next_run = clock_timestamp() + make_interval(mins => $2), last_error = $3
where schedule_id = $1
