-- Whether tables inherit from it, and whether it belongs to a session.
select c.relkind, c.relpersistence = 't', exists (
    select from pg_catalog.pg_inherits i join pg_catalog.pg_class p on p.oid = i.inhrelid
    where i.inhparent = c.oid and not p.relispartition
)
from pg_catalog.pg_class c where c.oid = $1
