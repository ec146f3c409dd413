-- Nothing is for everybody: administrators grant what they want, and pg_monitor may look. Only this extension's own
-- functions are touched, whatever else lives in the schema.
do $$
declare
    routine regprocedure;
begin
    for routine in
        select d.objid
        from pg_catalog.pg_depend d
        join pg_catalog.pg_extension e on e.oid = d.refobjid
        where d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid
          and d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
          and d.deptype = 'e'
          and e.extname = 'vector_backfill'
    loop
        execute pg_catalog.format('revoke all on routine %s from public', routine);
    end loop;
end
$$;

grant select on
    vb_job_status, vb_active_batches, vb_error_report, vb_sources, vb_worker_status, vb_provider_status, vb_client_spending,
    vb_collections, vb_schedules, vb_coverage
    to pg_monitor;
-- A view calls its functions with the rights of who reads it.
grant execute on function
    vb_progress(bigint), vb_default_priority(regclass), vb_worker_list(), vb_provider_list(), vb_health(), vb_sync_status()
    to pg_monitor;
