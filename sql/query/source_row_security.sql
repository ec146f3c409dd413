-- Whether policies may hide rows from the current role; behind a view with security_invoker nobody can tell.
select pg_catalog.row_security_active($1) or exists (
    select from pg_catalog.pg_class c, pg_catalog.pg_options_to_table(c.reloptions) o
    where c.oid = $1 and c.relkind = 'v' and o.option_name = 'security_invoker' and o.option_value::bool
)
