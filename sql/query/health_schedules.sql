select schedule_id, client_id, source::text, last_error, to_char(next_run, 'YYYY-MM-DD HH24:MI TZ')
from @extschema@.vb_backfill_schedules where last_error is not null order by schedule_id
