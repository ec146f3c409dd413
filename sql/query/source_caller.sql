-- What the current user may do with a relation, and the names that GRANT wants.
select pg_catalog.has_schema_privilege(n.oid, 'usage'), pg_catalog.has_table_privilege(c.oid, 'select'),
       pg_catalog.pg_has_role(c.relowner, 'usage'), pg_catalog.quote_ident(n.nspname),
       pg_catalog.quote_ident(current_user)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.oid = $1
