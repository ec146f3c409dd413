-- Whether a role may write what some client has.
select exists (
    select from @extschema@.vb_client_access a
    where a.level in ('write', 'admin') and pg_catalog.pg_has_role($1, a.role, 'usage')
)
