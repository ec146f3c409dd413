insert into @extschema@.@references@
    (client_id, source, vector_type, record_id, chunk_no, collection, point_id, provider, model, dimensions,
     content_hash, token_count, embedded_at, fields_hash)
select $1, $2, $3, k.record_id, k.chunk_no, $4, k.point_id::uuid, $5, $6, $7, k.content_hash, k.token_count,
       clock_timestamp(), decode(k.fields_hash, 'hex')
from rows from (unnest($8::text[]), unnest($9::int[]), unnest($10::text[]), unnest($11::bytea[]), unnest($12::int[]),
                unnest($13::text[]))
     as k(record_id, chunk_no, point_id, content_hash, token_count, fields_hash)
on conflict (client_id, source, vector_type, record_id, chunk_no) do update
set collection = excluded.collection, point_id = excluded.point_id, provider = excluded.provider,
    model = excluded.model, dimensions = excluded.dimensions, content_hash = excluded.content_hash,
    token_count = excluded.token_count, embedded_at = excluded.embedded_at,
    fields_hash = excluded.fields_hash
