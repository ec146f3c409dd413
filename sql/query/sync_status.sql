select s.source::oid,
       p.records + u.records,
       clock_timestamp() - least(p.oldest, u.oldest),
       s.applied,
       (select count(*) from @extschema@.vb_job_errors e join @extschema@.vb_jobs j on j.job_id = e.job_id
        where j.kind = 'sync' and j.source = s.source),
       s.last_applied_at, s.vector_types, s.latency_p50, s.latency_p95, s.latency_max,
       (select j.last_error from @extschema@.vb_jobs j
        where j.kind = 'sync' and j.source = s.source and j.state = 'paused' order by j.updated_at desc limit 1)
from @extschema@.vb_syncs s
cross join lateral (
    select count(*) as records, min(c.changed_at) as oldest from @extschema@.vb_pending_changes c where c.source = s.source
) p
cross join lateral (
    select count(*) as records, min(c.changed_at) as oldest from @extschema@.vb_changes c where c.source = s.source
) u
order by s.source
