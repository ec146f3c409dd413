-- $1 client, $2 source, $3 vector type, $4 record ids, $5 their hashes: of the text, followed by that of the payload columns, $6 jobs that set records aside, $7 collection, $8 renew
-- before. One look into the primary key for each record. Gives how many lack a reference, how many have one of another
-- text, collection or time, and how many have one; records that were set aside with this text lack nothing.
select count(*) filter (where r.record_id is null and e.record_id is null),
       count(*) filter (where r.record_id is not null and e.record_id is null
                          and (r.content_hash || r.fields_hash <> k.hash or r.collection <> $7
                               or ($8::timestamptz is not null and r.embedded_at < $8::timestamptz))),
       count(r.record_id)
from rows from (unnest($4::text[]), unnest($5::bytea[])) as k(record_id, hash)
left join lateral (
    select v.record_id, v.content_hash, v.fields_hash, v.collection, v.embedded_at
    from @extschema@.qdrant_vectors v
    where v.client_id = $1 and v.source = $2 and v.vector_type = $3 and v.record_id = k.record_id and v.chunk_no = 0
    offset 0
) r on true
left join lateral (
    select f.record_id
    from @extschema@.vb_job_errors f
    where f.job_id = any($6) and f.record_id = k.record_id and (f.content_hash is null or f.content_hash = substr(k.hash, 1, 32))
    limit 1
) e on true
