-- What a role ($1) may do: whether it administers, whether it sees the progress of all as pg_monitor, whether it reads and writes
-- what the client ($2) has, or what any client has where that is NULL, whether it writes anything at all, and the clients whose it
-- may read by name.
select pg_catalog.pg_has_role($1, e.extowner, 'usage') or coalesce(bool_or(a.level = 'admin'), false),
       pg_catalog.pg_has_role($1, 'pg_monitor', 'usage'),
       coalesce(bool_or(a.client_id is null or a.client_id = $2) filter (where a.level is not null), false),
       coalesce(bool_or(a.client_id is null or a.client_id = $2) filter (where a.level in ('write', 'admin')), false),
       coalesce(bool_or(a.level in ('write', 'admin')), false),
       coalesce(array_agg(a.client_id) filter (where a.client_id is not null), '{}')
from pg_catalog.pg_extension e
left join @extschema@.vb_client_access a on pg_catalog.pg_has_role($1, a.role, 'usage')
where e.extname = 'vector_backfill'
group by e.extowner
