select v.point_id::text, v.record_id, v.chunk_no, encode(v.content_hash, 'hex'), encode(v.fields_hash, 'hex')
from @extschema@.qdrant_vectors v
where v.client_id = $1 and v.source = $2 and v.vector_type = $3 and v.collection = $4
order by v.point_id
