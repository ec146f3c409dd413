insert into @extschema@.vb_backfill_schedules
    (client_id, source, vector_type, schedule, time_zone, preference, provider, priority, asked_by, next_run)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::timestamp at time zone $5)
on conflict (client_id, source, vector_type) do update
set schedule = excluded.schedule, time_zone = excluded.time_zone, preference = excluded.preference,
    provider = excluded.provider, priority = excluded.priority, asked_by = excluded.asked_by, next_run = excluded.next_run,
    last_error = null
returning schedule_id
