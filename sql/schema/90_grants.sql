-- Nothing is for everybody: administrators grant what they want, and pg_monitor may look. Only this extension's own
-- functions are touched, whatever else lives in the schema.
do $$
declare
    routine regprocedure;
begin
    for routine in
        select d.objid
        from pg_catalog.pg_depend d
        join pg_catalog.pg_extension e on e.oid operator(pg_catalog.=) d.refobjid
        where d.refclassid operator(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass::pg_catalog.oid
          and d.classid operator(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
          and d.deptype operator(pg_catalog.=) 'e'::"char"
          and e.extname operator(pg_catalog.=) 'vector_backfill'
    loop
        execute pg_catalog.format('revoke all on routine %s from public', routine);
    end loop;
end
$$;

-- Gives a role the rights to what its entries in vb_client_access are about, and takes away all others to things of this
-- extension. Every function looks for itself what its caller may do; these rights are the first of two doors.
create function vb_apply_access(role regrole) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    level    text;
    for_all  boolean;
    reading  text[] := '{vb_progress,vb_wait,vb_search,vb_plan_backfill,vb_worker_list,vb_provider_list,vb_health,vb_default_priority}';
    writing  text[] := '{vb_enqueue_backfill,vb_start_backfill,vb_run_backfill,vb_pause,vb_resume,vb_cancel,vb_retry_failed,'
                       'vb_forget,vb_set_job,vb_set_job_limits,vb_set_window,vb_schedule_backfill,vb_unschedule_backfill,'
                       'vb_configure_source,vb_verify,vb_import_vectors}';
    following text[] := '{vb_enable_sync,vb_disable_sync,vb_sync_trigger,vb_embed}';
    tables   text[] := '{vb_caller,vb_access,vb_audit,vb_job_status,vb_top,vb_throughput,vb_active_batches,vb_error_report,vb_schedules,vb_sources,'
                       'vb_collections,vb_coverage,vb_worker_status,vb_provider_status,vb_client_spending}';
    what     text;
    wanted   boolean;
begin
    -- It has rights of its own, below.
    if role = 'pg_monitor'::regrole then
        return;
    end if;
    select (array['read', 'write', 'admin'])[max(array_position(array['read', 'write', 'admin'], a.level))],
           coalesce(bool_or(a.client_id is null), false)
    into level, for_all
    from @extschema@.vb_client_access a where a.role = vb_apply_access.role;

    for what, wanted in
        select format('execute on routine %s', p.oid::regprocedure),
               p.proname not in ('vb_apply_access', 'vb_replace_seeded_provider')
               and (level = 'admin'
                    or p.proname = any (reading)
                    or (level = 'write' and p.proname = any (writing))
                    or (for_all and p.proname = 'vb_sync_status')
                    or (for_all and level = 'write' and p.proname = any (following)))
        from pg_depend d
        join pg_extension e on e.oid = d.refobjid and d.refclassid = 'pg_extension'::regclass
        join pg_proc p on p.oid = d.objid and d.classid = 'pg_proc'::regclass
        where d.deptype = 'e' and e.extname = 'vector_backfill'
        union all
        select format('select on %s.%I', '@extschema@', t.name), true from unnest(tables) t(name)
        union all
        select 'select on @extschema@.vb_providers', level = 'admin'
        -- What a plan says of rows that a policy hides would let others test guesses of a text by its hash or length. To take the right to
        -- the table away takes those to its columns away, so these come after it.
        union all
        select 'select on @extschema@.qdrant_vectors', for_all
        union all
        select format('select (%s) on @extschema@.qdrant_vectors', string_agg(quote_ident(a.attname), ', ' order by a.attnum)), true
        from pg_attribute a
        where a.attrelid = '@extschema@.qdrant_vectors'::regclass and a.attnum > 0 and not a.attisdropped
          and a.attname not in ('content_hash', 'fields_hash', 'token_count')
    loop
        if level is not null and wanted then
            execute format('grant %s to %s', what, role);
        else
            execute format('revoke %s from %s', what, role);
        end if;
    end loop;

    if level is not null then
        execute format('grant usage on schema %s to %s', '@extschema@', role);
    end if;
end
$$;
comment on function vb_apply_access(regrole) is 'Makes the rights of a role agree with what it was granted; called by vb_grant_access and vb_revoke_access';
revoke all on function vb_apply_access(regrole) from public;

grant select on
    vb_job_status, vb_active_batches, vb_error_report, vb_sources, vb_worker_status, vb_provider_status, vb_client_spending,
    vb_collections, vb_schedules, vb_coverage, vb_throughput, vb_top, vb_caller
    to pg_monitor;
-- A view calls its functions with the rights of who reads it.
grant execute on function
    vb_progress(bigint), vb_default_priority(regclass), vb_worker_list(), vb_provider_list(), vb_health(), vb_sync_status()
    to pg_monitor;
