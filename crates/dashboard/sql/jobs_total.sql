select count(*) as jobs
from vb_job_status j
where ($1::text[] is null or j.state = any ($1))
  and ($2::bigint is null or j.client_id = $2)
  and ($3::text is null or position(lower($3) in lower(j.source::text)) > 0)
