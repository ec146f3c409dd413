-- The SQL contract: names, arguments and defaults. The bodies are in src/api.

create function vb_enqueue_backfill(
    client_id bigint, source regclass, vector_type text default 'content', preference text default 'auto',
    provider text default null, batch_size int default null, max_retries int default 3, priority int default null,
    reembed boolean default false, max_tokens bigint default null, max_cost numeric default null
) returns bigint
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_enqueue_backfill_wrapper';
comment on function vb_enqueue_backfill is
    'Asks for the vectors of a client''s rows in a source; returns the id of the new or the unfinished job';

create function vb_plan_backfill(client_id bigint, sources regclass[] default null)
returns table (
    source regclass, priority int, record_count bigint, preference text, provider text, batch_size int,
    estimated_tokens bigint, estimated_cost numeric, estimated_duration interval, reason text, records_to_embed bigint
)
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
    -- Values turn into text as they do in the worker, whatever the session's settings are.
    set datestyle = 'ISO, YMD' set intervalstyle = 'postgres' set timezone = 'UTC' set bytea_output = 'hex'
    set extra_float_digits = 1
as 'MODULE_PATHNAME', 'vb_plan_backfill_wrapper';
comment on function vb_plan_backfill is
    'What vb_start_backfill would do with a client''s rows, and what it would cost; writes nothing';

create function vb_start_backfill(
    client_id bigint, sources regclass[] default null, vector_type text default 'content'
) returns table (job_id bigint, source regclass, priority int, record_count bigint, provider text, batch_size int)
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
    -- Values turn into text as they do in the worker, whatever the session's settings are.
    set datestyle = 'ISO, YMD' set intervalstyle = 'postgres' set timezone = 'UTC' set bytea_output = 'hex'
    set extra_float_digits = 1
as 'MODULE_PATHNAME', 'vb_start_backfill_wrapper';
comment on function vb_start_backfill is
    'Enqueues backfills of all registered sources, or of those given, that have rows of the client';

create function vb_wait(job_id bigint, timeout interval default null) returns text
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_wait_wrapper';
comment on function vb_wait is 'Waits until a job has ended or is paused, or the time is over; returns its state';

create function vb_pause(job_id bigint) returns text
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_pause_wrapper';
comment on function vb_pause is 'Stops a job until it is resumed; what is embedded stays';

create function vb_resume(job_id bigint) returns text
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_resume_wrapper';
comment on function vb_resume is 'Lets a paused job go on';

create function vb_cancel(job_id bigint) returns text
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_cancel_wrapper';
comment on function vb_cancel is 'Ends a job before it is complete; what is embedded stays';

create function vb_retry_failed(job_id bigint, record_ids text[] default null) returns bigint
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_retry_failed_wrapper';
comment on function vb_retry_failed is 'Puts a job''s failed records back to work, all of them or these; returns how many';

create function vb_forget(job_id bigint) returns boolean
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_forget_wrapper';
comment on function vb_forget is 'Deletes an ended job with its errors; vectors stay';

create function vb_set_job(
    job_id bigint, priority int default null, batch_size int default null, concurrency int default null
) returns void
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_set_job_wrapper';
comment on function vb_set_job is
    'Changes the priority, records a batch and batches at a time of a job that has not ended: NULL keeps a value, concurrency 0 takes its bound away';

create function vb_set_window(
    closed_from time, closed_until time, client_id bigint default null, days int[] default '{1,2,3,4,5,6,7}',
    time_zone text default null
) returns void
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_set_window_wrapper';
comment on function vb_set_window is
    'Hours in which no backfill works, of a client or of all; changes are followed at any time. NULL for both hours opens them again';

create function vb_schedule_backfill(
    client_id bigint, source regclass, schedule text default '0 2 * * *', vector_type text default 'content',
    preference text default 'auto', provider text default null, priority int default null, time_zone text default null
) returns bigint
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_schedule_backfill_wrapper';
comment on function vb_schedule_backfill is
    'Backfills a client''s rows again and again, as a pattern of cron says (every night at two); returns the id of the schedule';

create function vb_unschedule_backfill(schedule_id bigint) returns boolean
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_unschedule_backfill_wrapper';
comment on function vb_unschedule_backfill is 'Ends a schedule; false when there is none with this id';

create function vb_set_job_limits(job_id bigint, max_tokens bigint default null, max_cost numeric default null)
returns void
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_set_job_limits_wrapper';
comment on function vb_set_job_limits is
    'The most that a job may spend; NULL is no limit. One that is paused goes on after vb_resume';

create function vb_set_client_limits(
    client_id bigint, max_tokens_per_day bigint default null, max_cost_per_day numeric default null,
    max_records_per_second int default null, max_jobs int default null, max_records_per_day bigint default null,
    max_collections int default null
) returns void
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_set_client_limits_wrapper';
comment on function vb_set_client_limits is
    'The most that a client may spend and embed in a day of UTC, embed in a second, run at a time, and have of collections; NULL is no limit';

create function vb_configure_source(
    source regclass, client_column name default 'client_id', key_columns name[] default null,
    active_column name default null, order_column name default null, vector_type text default 'content',
    text_columns name[] default null, template text default null, chunk_tokens int default null,
    chunk_overlap int default null, priority int default null, payload_columns name[] default null
) returns void
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_configure_source_wrapper';
comment on function vb_configure_source is
    'Says how a table is embedded: its key, client column, filter, order, its text, and the columns that searches may filter by; each call says all of it anew';

create function vb_enable_sync(source regclass, vector_types text[] default '{content}') returns void
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_enable_sync_wrapper';
comment on function vb_enable_sync is
    'Keeps the vectors of a source in step with its rows from now on: puts triggers on it, and looks at what clients have of it';

create function vb_disable_sync(source regclass) returns boolean
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_disable_sync_wrapper';
comment on function vb_disable_sync is
    'Takes the triggers off a source and forgets its changes; vectors stay. False when it was not kept in step';

-- Without a search_path of its own, which would be set for every row; it names everything with its schema.
create function vb_sync_trigger() returns trigger
language c volatile
as 'MODULE_PATHNAME', 'vb_sync_trigger_wrapper';
comment on function vb_sync_trigger is
    'For triggers made by hand, AFTER a row or a statement; its argument names the source where that is not the table itself';

create function vb_sync_status()
returns table (
    source regclass, pending bigint, oldest_pending interval, applied bigint, failed bigint, last_applied_at timestamptz,
    vector_types text[], latency_p50 interval, latency_p95 interval, latency_max interval, trouble text
)
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_sync_status_wrapper';
comment on function vb_sync_status is
    'Sources that are kept in step: changes that wait, those that were applied, and how long the latest took since their commit';

create function vb_set_provider(
    name text, kind text default null, model text default null, dimensions int default null,
    endpoint text default null, api_key_ref text default null, max_texts int default null, max_tokens int default null,
    max_request_tokens int default null, requests_per_minute int default null, tokens_per_minute int default null,
    cost_per_million_tokens numeric default null, quality real default null, speed real default null,
    enabled boolean default null, client_id bigint default null, options jsonb default null
) returns void
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_set_provider_wrapper';
comment on function vb_set_provider is
    'Makes or changes an embedding provider: NULL keeps a value, an empty text or 0 takes it away';

create function vb_drop_provider(name text) returns void
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_drop_provider_wrapper';
comment on function vb_drop_provider is 'Drops an embedding provider; vectors that it made stay';

create function vb_provider_list() returns table (name text, available boolean, reason text)
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_provider_list_wrapper';
comment on function vb_provider_list is 'Whether each provider could be used, as vb_provider_status shows it';

create function vb_check_provider(name text)
returns table (ok boolean, latency interval, dimensions int, detail text)
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_check_provider_wrapper';
comment on function vb_check_provider is 'Makes one real call to a provider';

create function vb_embed(input text, provider text default null) returns real[]
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_embed_wrapper';
comment on function vb_embed is 'The embedding of a text, made by the worker';

create function vb_search(
    client_id bigint, source regclass, query text, k int default 10, vector_type text default 'content',
    mode text default 'dense', filter jsonb default null
) returns table (record_id text, score real, snippet text, chunk_no int)
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_search_wrapper';
comment on function vb_search is 'The k records of a client that are nearest to a question, best first; filter names values of the source''s payload columns';

create function vb_verify(
    client_id bigint, source regclass, vector_type text default 'content', repair boolean default false
) returns table (checked bigint, missing_points bigint, orphan_points bigint, stale_records bigint, missing_records bigint,
                 repaired bigint, changed_points bigint, orphan_references bigint, job_id bigint)
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
    -- Values turn into text as they do in the worker, whatever the session's settings are.
    set datestyle = 'ISO, YMD' set intervalstyle = 'postgres' set timezone = 'UTC' set bytea_output = 'hex'
    set extra_float_digits = 1
as 'MODULE_PATHNAME', 'vb_verify_wrapper';
comment on function vb_verify is 'Compares a client''s rows, references and points in both directions; repair => true makes them agree';

create function vb_import_vectors(
    client_id bigint, source regclass, vector_column name, model text, vector_type text default 'content',
    provider text default null
) returns table (imported bigint, refused bigint)
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
    -- Values turn into text as they do in the worker, whatever the session's settings are.
    set datestyle = 'ISO, YMD' set intervalstyle = 'postgres' set timezone = 'UTC' set bytea_output = 'hex'
    set extra_float_digits = 1
as 'MODULE_PATHNAME', 'vb_import_vectors_wrapper';
comment on function vb_import_vectors is 'Takes over vectors that a client''s rows have in a column already, made by this model, without embedding anything';

create function vb_purge_client(client_id bigint) returns table (points bigint, "references" bigint, jobs bigint)
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_purge_client_wrapper';
comment on function vb_purge_client is 'Removes everything of a client from the stores and from these tables; its own rows stay';

create function vb_claim_store() returns boolean
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_claim_store_wrapper';
comment on function vb_claim_store is 'In a copy of a database whose original is gone: the collections in Qdrant belong to this database from now on; false when they did already';

create function vb_grant_access(role regrole, client_id bigint, level text default 'read') returns void
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_grant_access_wrapper';
comment on function vb_grant_access is
    'Lets a role read (progress, search) or write (enqueue, control) what a client has, or all clients where that is NULL; admin, for all only, lets it configure and grant as well';

create function vb_revoke_access(role regrole, client_id bigint, level text default 'read') returns boolean
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_revoke_access_wrapper';
comment on function vb_revoke_access is
    'Takes a level and those above it from a role: read takes everything, write leaves read. False when it had none of them';

create function vb_move_store(target text) returns table (collections bigint, points bigint)
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_move_store_wrapper';
comment on function vb_move_store is 'Moves all collections to another store with their vectors, without embedding anything';

create function vb_worker_list()
returns table (pid int, state text, since timestamptz, memory_bytes bigint, waiting_for text, preloaded boolean)
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_worker_list_wrapper';
comment on function vb_worker_list is 'The worker of this database, as vb_worker_status shows it';

create function vb_health()
returns table (severity text, finding text, hint text, cause text, job_id bigint, client_id bigint)
language c volatile parallel unsafe set search_path = pg_catalog, pg_temp
as 'MODULE_PATHNAME', 'vb_health_wrapper';
comment on function vb_health is 'What is wrong and what to do; no rows when all is well';

-- A procedure, since it commits in between; such a procedure cannot pin its search_path, so every name is qualified. It
-- waits in READ COMMITTED whatever the session's default is: another level would never see the job move.
create procedure vb_run_backfill(
    client_id bigint, source regclass, vector_type text default 'content', preference text default 'auto',
    provider text default null, batch_size int default null, max_retries int default 3, priority int default null,
    reembed boolean default false, max_tokens bigint default null, max_cost numeric default null
)
language plpgsql
as $$
declare
    job       bigint;
    progress  @extschema@.vb_job_progress;
    shown     text;
    line      text;
begin
    job := @extschema@.vb_enqueue_backfill($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);
    commit;
    loop
        set transaction isolation level read committed;
        perform @extschema@.vb_wait(job, interval '1 second');
        select p.* into progress from @extschema@.vb_progress(job) p;
        if progress.job_id is null then
            raise exception using errcode = 'no_data_found',
                message = pg_catalog.format('job %s is gone', job), hint = 'Somebody called vb_forget.';
        end if;
        exit when progress.state operator(pg_catalog.<>) all ('{queued,running}'::pg_catalog.text[]);
        line := pg_catalog.format(
            '%s / %s records (%s %%), %s records/s, %s left, %s',
            progress.processed_records, progress.total_records, progress.percent,
            coalesce(pg_catalog.round(progress.records_per_second::pg_catalog.numeric, 1)::pg_catalog.text, '-'),
            coalesce(pg_catalog.date_trunc(
                'second', progress.estimated_completion operator(pg_catalog.-) pg_catalog.clock_timestamp())::pg_catalog.text, '-'),
            progress.state);
        if shown is null or line operator(pg_catalog.<>) shown then
            raise notice '%', line;
            shown := line;
        end if;
        commit;
    end loop;
    raise notice 'job % %: % done, % failed, % without text, % removed, % tokens, % s, provider %',
        job, progress.state, progress.successful_records, progress.failed_records, progress.skipped_records,
        progress.removed_records, progress.tokens,
        coalesce(pg_catalog.round(extract(
            epoch from coalesce(progress.finished_at, progress.updated_at) operator(pg_catalog.-) progress.started_at), 1)::pg_catalog.text, '-'),
        coalesce(progress.current_provider, '-');
    if progress.state operator(pg_catalog.=) any ('{failed,paused}'::pg_catalog.text[]) then
        raise exception using errcode = 'object_not_in_prerequisite_state',
            message = pg_catalog.format('job %s is %s: %s', job, progress.state,
                coalesce(progress.last_error, progress.reason, 'no reason given')),
            hint = 'select * from vb_health() and vb_error_report show more.';
    end if;
end
$$;
comment on procedure vb_run_backfill is 'Enqueues a backfill, waits with a progress line every second, ends with the totals';
