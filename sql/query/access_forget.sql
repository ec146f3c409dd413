-- Entries of roles that are gone: their numbers may be given to others.
delete from @extschema@.vb_client_access a where not exists (select from pg_catalog.pg_roles r where r.oid = a.role)
