select record_id, chunk_no, content_hash, point_id::text, collection = $5,
       $6::timestamptz is not null and embedded_at < $6::timestamptz
from @extschema@.@references@
where client_id = $1 and source = $2 and vector_type = $3 and record_id = any($4)
