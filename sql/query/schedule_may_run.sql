select exists (select from pg_catalog.pg_roles where oid = $1) and coalesce((
    select bool_and(pg_catalog.has_function_privilege($1, p.oid, 'execute'))
    from pg_catalog.pg_proc p
    join pg_catalog.pg_extension e on e.extname = 'vector_backfill' and e.extnamespace = p.pronamespace
    where p.proname = 'vb_enqueue_backfill'
), false)
