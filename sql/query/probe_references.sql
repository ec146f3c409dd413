-- $1 client, $2 source, $3 vector type, $4 record ids, $5 their hashes, $6 job, $7 collection, $8 renew before.
-- A record that failed in this job comes up again only when its text changed.
select coalesce(array_agg(k.n) filter (
           where (r.record_id is null or r.content_hash <> k.hash or r.collection <> $7
                  or ($8::timestamptz is not null and r.embedded_at < $8::timestamptz))
             and (e.record_id is null or e.content_hash <> k.hash)), '{}'),
       count(r.record_id)
from rows from (unnest($4::text[]), unnest($5::bytea[])) with ordinality as k(record_id, hash, n)
left join @extschema@.@references@ r
       on r.client_id = $1 and r.source = $2 and r.vector_type = $3 and r.record_id = k.record_id and r.chunk_no = 0
left join @extschema@.vb_job_errors e on e.job_id = $6 and e.record_id = k.record_id
