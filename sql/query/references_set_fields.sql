-- $4 records whose points carry other payload columns now, $5 the hashes of these.
update @extschema@.@references@ v
set fields_hash = decode(k.fields_hash, 'hex')
from rows from (unnest($4::text[]), unnest($5::text[])) as k(record_id, fields_hash)
where v.client_id = $1 and v.source = $2 and v.vector_type = $3 and v.record_id = k.record_id
