-- What came of the jobs.
select source,
       state,
       total_records as records,
       successful_records as embedded,
       failed_records as failed,
       skipped_records as skipped,
       round(records_per_second::numeric, 1) as "records/s",
       tokens,
       model
from vb_progress()
order by job_id;
