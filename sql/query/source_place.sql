-- Whether a SELECT of a relation may show each role something else (a view may ask who reads it, a foreign table who maps to
-- whom), and who owns its schema: that role can put another relation in its place.
select c.relkind in ('v', 'm', 'f') or exists (
           select from pg_catalog.pg_partition_tree(c.oid) t join pg_catalog.pg_class p on p.oid = t.relid where p.relkind = 'f'
       ),
       case when n.nspowner = 'pg_database_owner'::regrole then d.datdba else n.nspowner end, d.datdba,
       pg_catalog.quote_ident(n.nspname)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_database d on d.datname = pg_catalog.current_database()
where c.oid = $1
