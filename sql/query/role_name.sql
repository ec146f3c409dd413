-- As SQL writes it.
select pg_catalog.quote_ident(r.rolname) from pg_catalog.pg_roles r where r.oid = $1
