-- Who we are, whether the extension is there, and which of these views and functions we may not use.
select current_user::text as role, current_database()::text as database, clock_timestamp() as now,
       n.nspname::text as schema, e.extversion as version, current_setting('server_version_num')::int as server_version,
       array(
           select v.name
           from unnest($1::text[]) v(name)
           where not exists (
               select from pg_class c
               where c.relnamespace = n.oid and c.relname = v.name::name and has_table_privilege(c.oid, 'select')
           ) or not has_schema_privilege(n.oid, 'usage')
       ) || array(
           select f.name
           from unnest($2::text[]) f(name)
           where not exists (
               select from pg_proc p
               where p.pronamespace = n.oid and p.proname = f.name::name and has_function_privilege(p.oid, 'execute')
           ) or not has_schema_privilege(n.oid, 'usage')
       ) as hidden
from (values (1)) o(one)
left join pg_extension e on e.extname = 'vector_backfill'
left join pg_namespace n on n.oid = e.extnamespace
