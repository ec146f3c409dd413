-- $4 records whose points carry other payload columns now, $5 the hashes of these. One look into the primary key for each
-- record, whatever the planner knows of a table that grows all the time.
update @extschema@.@references@ v
set fields_hash = decode(k.fields_hash, 'hex')
from rows from (unnest($4::text[]), unnest($5::text[])) as k(record_id, fields_hash)
cross join lateral (
    select r.ctid as place
    from @extschema@.@references@ r
    where r.client_id = $1 and r.source = $2 and r.vector_type = $3 and r.record_id = k.record_id
    offset 0
) p
where v.ctid = p.place
