-- Records that a job set aside, all or these, are to be looked at again.
insert into @extschema@.vb_pending_changes (client_id, source, vector_type, record_id, changed_at)
select j.client_id, j.source, j.vector_type, e.record_id, clock_timestamp()
from @extschema@.vb_job_errors e join @extschema@.vb_jobs j on j.job_id = e.job_id
where e.job_id = $1 and ($2 is null or e.record_id = any($2))
on conflict (client_id, source, vector_type, record_id) do update set change_no = default
