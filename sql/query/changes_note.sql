-- Every name with its schema: it runs under the search_path of whoever commits, as ourselves.
insert into @extschema@.vb_changes (source, client_id, record_id)
select k.source, k.client_id, k.record_id
from rows from (pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.int8[]),
                pg_catalog.unnest($3::pg_catalog.text[])) as k(source, client_id, record_id)
