select j.state, count(*) as jobs from vb_job_status j group by j.state
