-- What the current role sees; to be asked as that role's number, since whoever runs this is the owner.
select pg_catalog.pg_has_role($1, e.extowner, 'usage') or coalesce(bool_or(a.client_id is null and a.role is not null), false),
       pg_catalog.pg_has_role($1, 'pg_monitor', 'usage'),
       coalesce(array_agg(a.client_id) filter (where a.client_id is not null), '{}')
from pg_catalog.pg_extension e
left join @extschema@.vb_client_access a on pg_catalog.pg_has_role($1, a.role, 'usage')
where e.extname = 'vector_backfill'
group by e.extowner
