-- What tells this server from all others but its own copies.
select system_identifier from pg_catalog.pg_control_system()
