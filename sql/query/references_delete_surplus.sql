-- Chunks that a record no longer has.
delete from @extschema@.@references@ v
using rows from (unnest($4::text[]), unnest($5::int[])) as k(record_id, chunks)
where v.client_id = $1 and v.source = $2 and v.vector_type = $3 and v.record_id = k.record_id
  and v.chunk_no >= k.chunks
