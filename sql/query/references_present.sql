-- One look into the primary key for each record, whatever the planner knows of a table that grows all the time.
select k.record_id, r.chunk_no, r.content_hash, r.point_id::text, r.collection = $5,
       $6::timestamptz is not null and r.embedded_at < $6::timestamptz, encode(r.fields_hash, 'hex')
from unnest($4::text[]) as k(record_id)
cross join lateral (
    select v.chunk_no, v.content_hash, v.point_id, v.collection, v.embedded_at, v.fields_hash
    from @extschema@.@references@ v
    where v.client_id = $1 and v.source = $2 and v.vector_type = $3 and v.record_id = k.record_id
    offset 0
) r
