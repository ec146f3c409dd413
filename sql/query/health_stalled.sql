-- Running jobs that did not move for five minutes and say nothing. $1 whether all are seen, $2 clients whose are besides, $3
-- whether the hours of all are closed, $4 clients whose are, $5 whether a long look at a source is being made. One whose provider
-- answers has a large batch. One that has nothing in flight waits for its turn while others move, and one that follows changes
-- moves when there are some.
select j.job_id, j.client_id, j.source_name, to_char(j.updated_at, 'YYYY-MM-DD HH24:MI:SS TZ'),
       date_trunc('second', clock_timestamp() - b.oldest)::text, j.current_provider
from @extschema@.vb_jobs j
cross join lateral (
    select min(b.started_at) as oldest from @extschema@.vb_batches b where b.job_id = j.job_id and b.in_flight
) b
where j.state = 'running' and j.last_error is null and j.updated_at < clock_timestamp() - interval '5 minutes'
  and (j.next_attempt_at is null or j.next_attempt_at < clock_timestamp())
  and not exists (
      select from @extschema@.vb_provider_usage u
      where u.name = j.current_provider and u.updated_at > clock_timestamp() - interval '1 minute'
        and u.breaker is distinct from 'open'
  )
  and (b.oldest < clock_timestamp() - interval '5 minutes'
       or (j.kind = 'backfill' and not $3 and j.client_id <> all($4) and not $5
           and not exists (
               select from @extschema@.vb_jobs o
               where o.state = 'running' and o.updated_at > clock_timestamp() - interval '5 minutes'
           )))
  and ($1 or j.client_id = any($2))
order by j.job_id
