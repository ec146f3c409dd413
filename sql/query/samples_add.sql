-- What jobs did since their last samples; one whose row somebody else has locked waits for the next time. Gives those written.
with free as (
    select j.job_id from @extschema@.vb_jobs j where j.job_id = any($1) for key share skip locked
)
insert into @extschema@.vb_job_samples (job_id, covers, records, failed, tokens, batches, batch_latency_p50, batch_latency_p95)
select s.job_id, s.covers, s.records, s.failed, s.tokens, s.batches, s.p50, s.p95
from unnest($1, $2, $3, $4, $5, $6, $7, $8) s(job_id, covers, records, failed, tokens, batches, p50, p95)
join free f on f.job_id = s.job_id
returning job_id
