select schedule_id, client_id, source::oid, vector_type, schedule, time_zone, preference, provider, priority, asked_by::oid
from @extschema@.vb_backfill_schedules
where next_run <= clock_timestamp()
order by next_run, schedule_id
for update skip locked
