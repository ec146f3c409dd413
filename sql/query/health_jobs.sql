-- Jobs that wait for somebody or something or are held up, and those that failed in the last day. $1 whether all are seen,
-- $2 whether texts of all may be, $3 clients whose may be besides.
select f.cause, f.finding, f.hint, f.job_id, f.client_id
from (
    select j.job_id,
           j.client_id,
           case
               when j.state = 'failed' then 'job_failed'
               when j.state = 'paused' and j.last_error is null then 'job_paused'
               when b.waits_for_a_day then 'budget_spent'
               when j.state = 'paused' then 'job_stopped'
               when j.next_attempt_at > clock_timestamp() then 'job_waiting'
               else 'job_held_up'
           end as cause,
           format('job %s (client %s, %s, %s) %s: %s', j.job_id, j.client_id, j.source_name, j.vector_type,
                  case
                      when j.state = 'paused' and j.next_attempt_at is not null
                          then format('is paused until %s', to_char(j.next_attempt_at, 'YYYY-MM-DD HH24:MI:SS TZ'))
                      when j.state = 'paused' then 'is paused'
                      when j.state = 'failed' then 'failed'
                      when j.next_attempt_at > clock_timestamp()
                          then format('tries again at %s', to_char(j.next_attempt_at, 'YYYY-MM-DD HH24:MI:SS TZ'))
                      else 'is held up'
                  end,
                  coalesce(case when j.last_error is null or $2 or j.client_id = any($3) then j.last_error
                                else format('the reason is for roles that may read client %s', j.client_id) end,
                           case j.state when 'paused' then 'somebody called vb_pause' else 'no reason given' end)
           ) as finding,
           case
               when j.state = 'paused' and j.next_attempt_at is not null and not b.waits_for_a_day then
                   format('Put right what is wrong; it tries again by itself, or at once with select vb_resume(%s).', j.job_id)
               when j.state = 'paused' and j.next_attempt_at is not null then
                   format('It goes on by itself then, or when vb_set_client_limits(%s, …) leaves more to spend.',
                          j.client_id)
               when j.state = 'paused' then
                   format('Put right what is wrong, if something is, then: select vb_resume(%s);', j.job_id)
               when j.state = 'failed' then
                   format('Put right what is wrong, then call vb_enqueue_backfill again; select vb_forget(%s) removes '
                          'this line.', j.job_id)
               when j.next_attempt_at > clock_timestamp() then
                   format('It goes on by itself; select vb_resume(%s) makes it try at once.', j.job_id)
               else 'It goes on by itself as soon as that has passed; vb_provider_status shows more.'
           end as hint
    from @extschema@.vb_jobs j
    -- One that follows changes is tried again after a minute, whatever it stopped for, but for a client's day.
    cross join lateral (
        select j.state = 'paused' and j.last_error is not null and j.next_attempt_at is not null
               and (j.kind = 'backfill' or j.next_attempt_at > j.updated_at + interval '61 seconds')
    ) b(waits_for_a_day)
    where (j.state = 'paused'
           or (j.state = 'failed' and j.finished_at > clock_timestamp() - interval '1 day')
           or (j.state = 'running' and j.last_error is not null)
           or (j.state in ('queued', 'running') and j.next_attempt_at > clock_timestamp()))
      and ($1 or j.client_id = any($3))
) f
order by f.job_id
