-- What the current user may do with a relation.
select pg_catalog.has_schema_privilege(c.relnamespace, 'usage'), pg_catalog.has_table_privilege(c.oid, 'select'),
       pg_catalog.pg_has_role(c.relowner, 'usage')
from pg_catalog.pg_class c
where c.oid = $1
