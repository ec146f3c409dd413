select client_id from @extschema@.vb_backfill_schedules where schedule_id = $1
