-- Whoever is granted a table of ours by hand sees no more of it than the views show: rows of clients that he may read.
-- Owners are not excepted; those who administer the extension may do everything.
do $$
declare
    tab   regclass;
    seen  text;
begin
    for tab, seen in
        select c.oid,
               case
                   when c.relname operator(pg_catalog.=) any ('{vb_job_errors,vb_batches,vb_job_samples}'::name[])
                       then 'job_id operator(pg_catalog.=) any (array('
                            'select j.job_id from @extschema@.vb_jobs j cross join @extschema@.vb_caller r '
                            'where r.reads_all or j.client_id operator(pg_catalog.=) any (r.reads)))'
                   when exists (
                       select from pg_catalog.pg_attribute a
                       where a.attrelid operator(pg_catalog.=) c.oid and a.attname operator(pg_catalog.=) 'client_id'
                   )
                       then '(select r.reads_all from @extschema@.vb_caller r) or client_id operator(pg_catalog.=) '
                            'any ((select r.reads from @extschema@.vb_caller r)::bigint[])'
               end
        from pg_catalog.pg_class c
        join pg_catalog.pg_depend d
            on d.objid operator(pg_catalog.=) c.oid and d.classid operator(pg_catalog.=) 'pg_catalog.pg_class'::regclass::oid
        join pg_catalog.pg_extension e
            on e.oid operator(pg_catalog.=) d.refobjid and d.refclassid operator(pg_catalog.=) 'pg_catalog.pg_extension'::regclass::oid
        where d.deptype operator(pg_catalog.=) 'e'::"char" and e.extname operator(pg_catalog.=) 'vector_backfill'
          and c.relkind operator(pg_catalog.=) 'r'::"char"
          -- It is asked by every policy.
          and c.relname operator(pg_catalog.<>) 'vb_client_access'
    loop
        continue when seen is null;
        execute pg_catalog.format('alter table %s enable row level security', tab);
        execute pg_catalog.format('alter table %s force row level security', tab);
        execute pg_catalog.format('create policy vb_readers on %s for select using (%s)', tab, seen);
        execute pg_catalog.format(
            'create policy vb_administrators on %s using ((select r.administers from @extschema@.vb_caller r))', tab);
    end loop;
end
$$;
