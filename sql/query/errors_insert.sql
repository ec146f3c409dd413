insert into @extschema@.vb_job_errors (job_id, record_id, content_hash, error_class, message, attempts)
select $1, k.record_id, k.content_hash, $2, k.message, $3
from rows from (unnest($4::text[]), unnest($5::bytea[]), unnest($6::text[])) as k(record_id, content_hash, message)
where exists (select from @extschema@.vb_jobs j where j.job_id = $1)
on conflict (job_id, record_id) do update
set content_hash = excluded.content_hash, error_class = excluded.error_class, message = excluded.message,
    attempts = vb_job_errors.attempts + 1, failed_at = clock_timestamp()
returning (xmax = 0)
