select j.client_id, count(*) as open_jobs from vb_job_status j where j.finished_at is null group by j.client_id
