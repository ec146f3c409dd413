update @extschema@.vb_installation i
set server = c.system_identifier, database = d.oid
from pg_catalog.pg_control_system() c, pg_catalog.pg_database d
where d.datname = current_database() and (i.server <> c.system_identifier or i.database <> d.oid)
