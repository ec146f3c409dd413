-- Those before a place in the order, which is the newest first; a role that only monitors sees no keys of records.
select e.job_id, e.client_id, e.source::text as source, e.vector_type, e.record_id, e.error_class, e.message, e.attempts,
       e.failed_at
from vb_error_report e
where ($1::bigint is null or e.client_id = $1)
  and ($2::text is null or position(lower($2) in lower(e.source::text)) > 0)
  and ($3::text is null or e.error_class = $3)
  and ($4::bigint is null or e.job_id = $4)
  and ($5::timestamptz is null or e.failed_at >= $5)
  and ($6::timestamptz is null or e.failed_at < $6)
  and ($7::text is null or e.record_id ilike $7 or e.message ilike $7)
  and ($8::timestamptz is null or (e.failed_at, e.job_id, coalesce(e.record_id, '')) < ($8, $9::bigint, $10::text))
order by e.failed_at desc, e.job_id desc, coalesce(e.record_id, '') desc
limit $11::bigint
