-- Not in the install script, so that a restored dump brings its own.
insert into @extschema@.vb_installation (server, database)
select c.system_identifier, d.oid
from pg_catalog.pg_control_system() c, pg_catalog.pg_database d
where d.datname = current_database()
on conflict do nothing
