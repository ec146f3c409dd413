-- Collections that no search reads and no job builds any more. $1 seconds for which a search may still read one that was
-- retired.
select g.collection_id
from @extschema@.vb_collection_generations g
where not g.active
  and case when g.retired_at is null
           then not exists (select from @extschema@.vb_jobs j
                            where j.job_id = g.job_id and j.state in ('queued', 'running', 'paused'))
           else g.retired_at < clock_timestamp() - make_interval(secs => $1) end
