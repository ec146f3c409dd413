-- Jobs that have not ended, or did in the last day, and set ten records and more than one in twenty aside. $1 whether all are seen,
-- $2 clients whose are besides.
select j.job_id, j.client_id, j.source_name, j.failed_records, p.processed
from @extschema@.vb_jobs j
cross join lateral (select j.successful_records + j.failed_records + j.skipped_records) p(processed)
where j.failed_records >= 10 and j.failed_records * 20 > p.processed
  and (j.finished_at is null or j.finished_at > clock_timestamp() - interval '1 day')
  and ($1 or j.client_id = any($2))
order by j.job_id
