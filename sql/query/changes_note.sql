insert into @extschema@.vb_changes (source, client_id, record_id)
select k.source, k.client_id, k.record_id
from rows from (unnest($1::oid[]), unnest($2::bigint[]), unnest($3::text[])) as k(source, client_id, record_id)
