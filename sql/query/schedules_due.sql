-- Those that are due for the longest, some at a time: others wait for the worker meanwhile.
select schedule_id, client_id, source::oid, vector_type, schedule, time_zone, preference, provider, priority, asked_by::oid
from @extschema@.vb_backfill_schedules
where next_run <= clock_timestamp()
order by next_run, schedule_id
limit 100
for update skip locked
