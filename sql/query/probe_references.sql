-- $1 client, $2 source, $3 vector type, $4 record ids, $5 their hashes: of the text, followed by that of the payload columns,
-- $6 job, $7 collection, $8 renew before. Gives the numbers of those that are to be embedded, those whose payload columns alone
-- changed, and how many have a reference. A record that failed in this job comes up again only when its text changed. One look
-- into the primary key for each record, whatever the planner knows of a table that grows all the time.
select coalesce(array_agg(k.n) filter (where not d.same_text and not d.failed), '{}'),
       coalesce(array_agg(k.n) filter (where d.same_text and not d.same_fields and not d.failed), '{}'),
       count(r.record_id)
from rows from (unnest($4::text[]), unnest($5::bytea[])) with ordinality as k(record_id, hash, n)
left join lateral (
    select v.record_id, v.content_hash, v.fields_hash, v.collection, v.embedded_at
    from @extschema@.@references@ v
    where v.client_id = $1 and v.source = $2 and v.vector_type = $3 and v.record_id = k.record_id and v.chunk_no = 0
    offset 0
) r on true
left join lateral (
    select f.record_id, f.content_hash
    from @extschema@.vb_job_errors f
    where f.job_id = $6 and f.record_id = k.record_id
    offset 0
) e on true
cross join lateral (
    select r.record_id is not null and r.content_hash = substr(k.hash, 1, 32) and r.collection = $7
               and ($8::timestamptz is null or r.embedded_at >= $8::timestamptz),
           r.fields_hash = substr(k.hash, 33),
           e.record_id is not null and coalesce(e.content_hash = substr(k.hash, 1, 32), true)
) d(same_text, same_fields, failed)
