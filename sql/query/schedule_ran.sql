-- $2 when it is due again, in its time zone; a pattern without another moment waits for ever.
update @extschema@.vb_backfill_schedules
set next_run = coalesce($2::text::timestamp at time zone time_zone, 'infinity'), last_run = clock_timestamp(),
    last_job = coalesce($3, last_job), last_error = $4
where schedule_id = $1
