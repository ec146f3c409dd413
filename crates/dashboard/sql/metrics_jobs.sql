select j.client_id, j.kind, j.state, count(*) as jobs from vb_job_status j group by j.client_id, j.kind, j.state
