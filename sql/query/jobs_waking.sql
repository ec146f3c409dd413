-- Locked by this statement, which looks again at what it has locked: whoever pauses one meanwhile means it, and nobody is
-- waited for.
select job_id
from @extschema@.vb_jobs
where state = 'paused' and next_attempt_at <= clock_timestamp()
order by job_id
for update skip locked
