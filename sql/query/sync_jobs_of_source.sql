select job_id from @extschema@.vb_jobs
where source = $1 and kind = 'sync' and ($2::text[] is null or vector_type = any($2))
  and state in ('queued', 'running', 'paused')
order by job_id
