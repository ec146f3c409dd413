-- Whether this database is the one that the installation's collections in Qdrant belong to, not a copy of it.
select i.server = c.system_identifier and i.database = d.oid
from @extschema@.vb_installation i, pg_catalog.pg_control_system() c, pg_catalog.pg_database d
where d.datname = current_database()
