-- What batches in flight may have written is in doubt, with the references of collections that serve, or, where $1, of those
-- that jobs build: rows may become what they were when the references were made, and would be taken for done.
update @extschema@.@references@ v
set content_hash = ''
from @extschema@.vb_batches b
join @extschema@.vb_jobs j on j.job_id = b.job_id
cross join lateral unnest(b.record_ids) as k(record_id)
cross join lateral (
    select r.ctid as place
    from @extschema@.@references@ r
    where r.client_id = j.client_id and r.source = j.source and r.vector_type = j.vector_type and r.record_id = k.record_id
    offset 0
) p
where b.in_flight and j.reembed = $1 and v.ctid = p.place and v.content_hash <> ''
