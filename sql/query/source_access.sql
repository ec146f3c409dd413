-- NULL when the role is gone.
select (select pg_catalog.has_table_privilege(r.oid, $2::oid, 'select') or pg_catalog.has_any_column_privilege(r.oid, $2::oid, 'select')
        from pg_catalog.pg_roles r where r.oid = $1)
