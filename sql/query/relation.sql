select n.nspname::text, c.relname::text, c.relkind, c.relowner, c.relpersistence
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.oid = $1
