//! What a role with access to a client of its own tries against two others, and what a deputy tries against the server: each
//! attempt is refused with the right SQLSTATE or finds nothing, and nothing of the others comes to light or changes.

use std::collections::BTreeSet;

use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::sql_error::CallError;
use vb_tests::{jobs, wait};

/// What has to become of an attempt.
#[derive(Debug, Clone, Copy)]
enum End {
    /// It is an error with one of these SQLSTATEs.
    Refused(&'static str),
    /// It finds no row, or only values that say so: 0, false, NULL or none.
    Nothing,
    /// It may do what it does: what matters is what is seen of others.
    Harmless,
}

use End::{Harmless, Nothing, Refused};

/// A word in all rows of the others. Wherever else it is seen, something has leaked.
const CANARY: &str = "canary";

/// Mallory's own tables, functions and operators: whatever runs one of these functions shows in `den.loot` as whom.
const DEN: &str = r#"
    create schema den authorization mallory;
    grant create on schema public to mallory;
    set role mallory;
    create table den.loot (ran_as text, what text);
    grant insert on den.loot to public; grant usage on schema den to public;
    create function den.catch(what text) returns text language plpgsql volatile as $$
    begin
        insert into den.loot values (current_user, what);
        return what;
    exception when others then return what;
    end $$;
    create table den.own (id int primary key, client_id bigint, title text);
    insert into den.own select n, 3, 'mallory has title ' || n from generate_series(1, 4) n;
    create table den.false_flag (id int primary key, client_id bigint, title text);
    insert into den.false_flag values (1, 1, 'mallory says this is of client 1'), (2, 2, 'and this of client 2');
    create table den.crafted (id text primary key, client_id bigint, title text);
    insert into den.crafted values ('["1"]', 3, 'an array'), ($$1'; drop table den.own; --$$, 3, 'a quote'), ('', 3, 'empty'),
        (E'\u202E\u0001', 3, 'control'), (repeat('k', 1500), 3, 'long');
    create view den.trap as
        select id, client_id, title || den.catch(' view ') || (select count(*) from pg_catalog.pg_roles) as title from den.own;
    create view den.window as select * from public.issues;
    create table den.guarded (id int primary key, client_id bigint, title text);
    insert into den.guarded select * from den.own;
    alter table den.guarded enable row level security;
    create policy trap on den.guarded using (den.catch('policy') is not null);
    create function den.checks(text) returns boolean language sql volatile as $$ select den.catch('domain') is not null $$;
    create domain den.key as text check (den.checks(value));
    create table den.domains (id den.key primary key, client_id bigint, title text);
    insert into den.domains values ('a', 3, 'of a domain'), ('b', 3, 'another');
    create function den.leaks(text) returns boolean language plpgsql cost 0.0000001 as $$
        begin raise notice 'seen: %', $1; return true; end $$;
    create function den.leaks(bigint) returns boolean language plpgsql cost 0.0000001 as $$
        begin raise notice 'seen: client %', $1; return true; end $$;
    create operator den.~~~ (leftarg = text, rightarg = text, procedure = pg_catalog.textlike);
    -- Names that our own code uses, in a schema that comes first on the path.
    create function public.format(text, variadic text[]) returns text language sql volatile as $$ select den.catch('format') $$;
    create function public.count(bigint) returns bigint language sql volatile as $$ select den.catch('count')::bigint $$;
    create function public.greatest_of(bigint) returns bigint language sql as $$ select $1 $$;
    create function public.vb_wait(bigint, text) returns text language sql volatile as $$ select den.catch('vb_wait') $$;
    create function public.same(bigint, bigint) returns boolean language sql volatile as $$ select den.catch('=') is null $$;
    create operator public.= (leftarg = bigint, rightarg = bigint, procedure = public.same);
    create function public.same(text, text) returns boolean language sql volatile as $$ select den.catch('=') is null $$;
    create operator public.= (leftarg = text, rightarg = text, procedure = public.same);
    create function public.contained(int[], int[]) returns boolean language sql volatile as $$ select den.catch('<@') is not null $$;
    create operator public.<@ (leftarg = int[], rightarg = int[], procedure = public.contained);
    create function den.as_definer(bigint) returns setof text language sql security definer as
        $$ select public.vb_search($1, 'public.issues', 'canary')::text $$;
    grant execute on all functions in schema den to public;
    reset role;
"#;

/// Attempts of mallory, who may write what client 3 has.
const ATTEMPTS: &[(&str, End)] = &[
    // Our tables, read.
    ("table vb_jobs", Refused("42501")),
    ("table vb_job_errors", Refused("42501")),
    ("table vb_batches", Refused("42501")),
    ("table vb_providers", Refused("42501")),
    ("table vb_client_access", Refused("42501")),
    ("table vb_audit_events", Refused("42501")),
    ("table vb_collection_generations", Refused("42501")),
    ("table vb_next_vectors", Refused("42501")),
    ("table vb_changes", Refused("42501")),
    ("table vb_pending_changes", Refused("42501")),
    ("table vb_client_usage", Refused("42501")),
    ("table vb_client_limits", Refused("42501")),
    ("table vb_installation", Refused("42501")),
    ("table vb_syncs", Refused("42501")),
    ("table vb_source_settings", Refused("42501")),
    ("table vb_backfill_schedules", Refused("42501")),
    ("copy vb_jobs to stdout", Refused("42501")),
    // Our tables, written.
    (
        "insert into vb_client_access values ('mallory', null, 'admin', 'mallory')",
        Refused("42501"),
    ),
    ("insert into vb_jobs (client_id) values (1)", Refused("42501")),
    ("update qdrant_vectors set client_id = 3", Refused("42501")),
    ("delete from qdrant_vectors", Refused("42501")),
    ("truncate vb_jobs", Refused("42501")),
    (
        "do $$ begin lock table vb_jobs in access exclusive mode; end $$",
        Refused("42501"),
    ),
    ("select * from qdrant_vectors for update", Refused("42501")),
    (
        "alter table qdrant_vectors disable row level security",
        Refused("42501"),
    ),
    ("create policy mine on qdrant_vectors using (true)", Refused("42501")),
    (
        "create trigger t before insert on vb_jobs for each row execute function suppress_redundant_updates_trigger()",
        Refused("42501"),
    ),
    (
        "create index on qdrant_vectors (den.leaks(record_id))",
        Refused("42501"),
    ),
    (
        "alter view vb_job_status set (security_barrier = false)",
        Refused("42501"),
    ),
    ("drop extension vector_backfill", Refused("42501")),
    (
        "alter extension vector_backfill drop view vb_job_status",
        Refused("42501"),
    ),
    // Our views.
    ("select * from qdrant_vectors where client_id <> 3", Nothing),
    (
        "select count(*) from qdrant_vectors where source = 'issues'::regclass",
        Nothing,
    ),
    ("select * from vb_job_status where client_id <> 3", Nothing),
    ("select * from vb_progress() where client_id in (1, 2)", Nothing),
    ("select * from vb_error_report where client_id <> 3", Nothing),
    ("select * from vb_coverage where client_id <> 3", Nothing),
    ("select * from vb_collections where client_id <> 3", Nothing),
    ("select * from vb_client_spending where client_id <> 3", Nothing),
    ("select * from vb_schedules where client_id <> 3", Nothing),
    ("select * from vb_active_batches where job_id <= 2", Nothing),
    ("select * from vb_audit where client_id is distinct from 3", Nothing),
    ("select * from vb_access where role <> 'mallory'::regrole", Nothing),
    ("select * from vb_provider_status where tokens > 0", Nothing),
    (
        "select waiting_for from vb_worker_status where waiting_for is not null",
        Nothing,
    ),
    ("select * from vb_sources where source = 'secrets'::regclass", Nothing),
    ("select * from vb_health() where finding ~ 'client [12]'", Nothing),
    (
        "select n_distinct from pg_stats where tablename = 'qdrant_vectors'",
        Nothing,
    ),
    // Functions that would see rows before the views hide them.
    (
        "select * from qdrant_vectors where den.leaks(record_id) and den.leaks(client_id)",
        Harmless,
    ),
    ("select * from vb_error_report where den.leaks(message)", Harmless),
    (
        "select * from vb_job_status where den.leaks(last_error) and den.leaks(client_id)",
        Harmless,
    ),
    ("select * from vb_audit where den.leaks(detail::text)", Harmless),
    ("select * from vb_coverage where den.leaks(client_id)", Harmless),
    (
        "select * from qdrant_vectors where record_id operator(den.~~~) '%'",
        Harmless,
    ),
    (
        "select 1 / (count(*) - count(*)) from qdrant_vectors where client_id = 1",
        Refused("22012"),
    ),
    // Clients of others, by name.
    ("select * from vb_search(1, 'issues', 'canary')", Refused("42501")),
    (
        "select * from vb_search(2, 'issues', 'canary', mode => 'keyword')",
        Refused("42501"),
    ),
    ("select * from vb_search(4711, 'issues', 'canary')", Refused("42501")),
    ("select * from vb_search(-1, 'issues', 'canary')", Refused("42501")),
    (
        "select * from vb_search(9223372036854775807, 'issues', 'canary')",
        Refused("42501"),
    ),
    ("select * from vb_search(NULL, 'issues', 'canary')", Refused("22004")),
    ("select den.as_definer(1)", Refused("42501")),
    ("select * from vb_plan_backfill(1)", Refused("42501")),
    ("select vb_enqueue_backfill(1, 'issues')", Refused("42501")),
    ("select vb_enqueue_backfill(1, 'den.false_flag')", Refused("42501")),
    ("select * from vb_start_backfill(1)", Refused("42501")),
    ("call vb_run_backfill(1, 'issues')", Refused("42501")),
    ("select * from vb_verify(1, 'issues', repair => true)", Refused("42501")),
    (
        "select * from vb_import_vectors(1, 'issues', 'title', 'all-MiniLM-L6-v2')",
        Refused("42501"),
    ),
    ("select vb_schedule_backfill(1, 'issues')", Refused("42501")),
    (
        "select vb_set_window('00:00', '23:59', client_id => 1)",
        Refused("42501"),
    ),
    ("select vb_set_window('00:00', '23:59')", Refused("42501")),
    // Jobs of others, by number.
    ("select vb_wait(1)", Refused("42704")),
    ("select vb_pause(1)", Refused("42704")),
    ("select vb_resume(1)", Refused("42704")),
    ("select vb_cancel(1)", Refused("42704")),
    ("select vb_retry_failed(1)", Refused("42704")),
    ("select vb_set_job(1, concurrency => 1)", Refused("42704")),
    ("select vb_set_job_limits(1, max_tokens => 1)", Refused("42704")),
    ("select vb_forget(1)", Nothing),
    ("select vb_unschedule_backfill(1)", Nothing),
    // What is for administrators.
    ("select * from vb_purge_client(3)", Refused("42501")),
    ("select vb_set_client_limits(3)", Refused("42501")),
    (
        "select vb_set_provider('evil', kind => 'openai', model => 'm')",
        Refused("42501"),
    ),
    ("select vb_drop_provider('openai')", Refused("42501")),
    ("select * from vb_check_provider('openai')", Refused("42501")),
    ("select * from vb_move_store('qdrant')", Refused("42501")),
    ("select vb_claim_store()", Refused("42501")),
    ("select vb_grant_access('mallory', 1, 'write')", Refused("42501")),
    ("select vb_grant_access('mallory', NULL, 'admin')", Refused("42501")),
    ("select vb_revoke_access('one', 1)", Refused("42501")),
    ("select vb_apply_access('mallory')", Refused("42501")),
    ("select vb_enable_sync('issues')", Refused("42501")),
    ("select vb_enable_sync('den.own')", Refused("42501")),
    ("select vb_disable_sync('issues')", Refused("42501")),
    (
        "select vb_configure_source('issues', template => '{title}')",
        Refused("42501"),
    ),
    (
        "create trigger t after insert on den.own for each row execute function vb_sync_trigger('public.issues')",
        Refused("42501"),
    ),
    (
        "select vb_enqueue_backfill(3, 'den.own', priority => 100)",
        Refused("42501"),
    ),
    (
        "set vector_backfill.qdrant_url = 'http://127.0.0.1:1'",
        Refused("55P02"),
    ),
    ("set vector_backfill.secret_directory = '/'", Refused("55P02")),
    ("show vector_backfill.data_directory", Refused("42501")),
    // Filters, record ids, templates, texts.
    ("select * from vb_search(3, 'issues', 'canary')", Nothing),
    (
        r#"select * from vb_search(3, 'issues', 'canary', filter => '{"client_id": 1}')"#,
        Refused("42703"),
    ),
    (
        r#"select * from vb_search(3, 'issues', 'canary', filter => '{"should": [{"key": "client_id"}]}')"#,
        Refused("42703"),
    ),
    (
        r#"select * from vb_search(3, 'den.own', 'canary', filter => '{"title": {"$or": [1]}}')"#,
        Refused("42703"),
    ),
    ("select * from vb_search(3, 'den.window', 'canary', k => 1000)", Nothing),
    ("select * from vb_search(3, 'secrets', 'canary')", Refused("42501")),
    ("select vb_enqueue_backfill(3, 'secrets')", Refused("42501")),
    (
        "select vb_enqueue_backfill(3, 'pg_catalog.pg_authid')",
        Refused("42501"),
    ),
    ("select vb_enqueue_backfill(3, 'qdrant_vectors')", Refused("42703")),
    (
        "select vb_configure_source('den.own', template => '{title'')')",
        Refused("22023"),
    ),
    (
        "select vb_configure_source('den.own', template => '{(select 1)}')",
        Refused("42703"),
    ),
    (
        r#"select vb_configure_source('den.own', template => '{title" || current_user || "}')"#,
        Refused("42703"),
    ),
    (
        "select vb_configure_source('den.own', text_columns => array['title; drop table den.own'])",
        Refused("42703"),
    ),
    (
        "select vb_configure_source('den.own', client_column => $$1=1 or client_id$$)",
        Refused("42703"),
    ),
    (
        "select * from vb_search(3, 'den.own', repeat('x', 20000000))",
        Refused("22023"),
    ),
    ("select vb_embed('x')", Refused("42501")),
    (
        "select * from vb_search(3, 'den.own', 'x', k => 1000000)",
        Refused("22023"),
    ),
    (r"select * from vb_search(3, 'den.own', E'\xff\xfe')", Refused("22021")),
    (
        "select * from vb_search(3, 'den.own', 'x', mode => $$' or 1=1$$)",
        Refused("22023"),
    ),
    // Who runs it.
    ("set role one", Refused("42501")),
    ("set session authorization one", Refused("42501")),
    (
        "create event trigger e on ddl_command_start execute function suppress_redundant_updates_trigger()",
        Refused("42501"),
    ),
    (
        "create function public.mine() returns int language c as 'vector_backfill', 'vb_purge_client_wrapper'",
        Refused("42501"),
    ),
    ("select * from pg_catalog.pg_read_file('pg_hba.conf')", Refused("42501")),
];

/// A row or an error as text, for the search for what must not be in it.
fn attempt(session: &mut Client, statement: &str) -> (Result<Vec<String>, String>, String) {
    let rows = format!("select x::text from ({statement}) x");
    // What is no query is run as it is.
    let is_query = statement.starts_with("select ") && !statement.contains("for update");
    let result = match is_query {
        true => session.try_rows(&rows, &[]).map(|rows| {
            rows.iter()
                .map(|row| row.get::<Option<String>>(0).unwrap_or_default())
                .collect()
        }),
        false => session.try_run(statement).map(|()| Vec::new()),
    };
    let mut told = String::new();
    let result = result.map_err(|error| match error {
        CallError::Sql(error) => {
            told.push_str(&error.to_string());
            error.code
        }
        CallError::Lost(error) => panic!("the server went away at {statement}: {error}"),
    });
    for notice in session.take_notices() {
        told.push_str(&notice.to_string());
    }
    (result, told)
}

/// Whether rows say that there is nothing: none, or one of zeros, falses and nulls.
fn is_nothing(rows: &[String]) -> bool {
    rows.iter().all(|row| {
        let values = row.trim_matches(['(', ')']).split(',');
        values.into_iter().all(|value| matches!(value, "" | "0" | "f"))
    })
}

/// What is of others, in every respect: it has to be the same afterwards.
fn state_of_others(client: &mut Client) -> Vec<String> {
    client.values(
        "select x::text from qdrant_vectors x where client_id in (1, 2)
         union all select x::text from vb_jobs x where client_id in (1, 2)
         union all select x::text from vb_client_access x
         union all select x::text from vb_providers x
         union all select x::text from vb_backfill_schedules x
         union all select x::text from vb_windows x
         union all select x::text from vb_source_settings x where source = 'issues'::regclass
         order by 1",
        &[],
    )
}

/// Two tenants with embedded rows under row-level security, and mallory with her den.
fn shop(tenancy: &str) -> (Cluster, Client) {
    let cluster = Cluster::with_settings(&format!(
        "shared_preload_libraries = 'vector_backfill'
         vector_backfill.tenancy = '{tenancy}'"
    ));
    let mut client = cluster.create_database("shop");
    client.run(
        "create role one login; create role two login; create role mallory login;
         create table issues (id int primary key, client_id bigint not null, title text);
         insert into issues select n, 1 + n % 2, 'the canary of client ' || 1 + n % 2 || ' sings song ' || n from generate_series(1, 12) n;
         create table secrets (id int primary key, client_id bigint, title text);
         insert into secrets values (1, 3, 'a secret canary');
         grant select on issues to one, two, mallory;
         alter table issues enable row level security;
         create policy of_one on issues to one using (client_id = 1);
         create policy of_two on issues to two using (client_id = 2);
         create policy of_three on issues to mallory using (client_id = 3);
         select vb_grant_access('one', 1, 'write'), vb_grant_access('two', 2, 'write'), vb_grant_access('mallory', 3, 'write')",
    );
    for (role, client_id) in [("one", 1), ("two", 2)] {
        let job = jobs::enqueue(&mut cluster.connect_as("shop", role), client_id, "issues");
        assert_eq!(jobs::completed(&mut client, job).successful, 6);
    }
    client.run("select vb_schedule_backfill(1, 'issues', provider => null); analyze");
    client.run(
        "create table plain as select n as id, 1::bigint as client_id, 'a plain canary ' || n as title from generate_series(1, 40) n;
         alter table plain add primary key (id); grant select on plain to one",
    );
    client.run(DEN);
    (cluster, client)
}

fn all_attempts_fail(tenancy: &str) {
    let (cluster, mut client) = shop(tenancy);
    let before = state_of_others(&mut client);
    let mut mallory = cluster.connect_as("shop", "mallory");
    mallory.run("select vb_configure_source('den.window', key_columns => '{id}')");
    mallory.run("select vb_configure_source('den.trap', key_columns => '{id}')");
    for source in [
        "den.own",
        "den.crafted",
        "den.window",
        "den.trap",
        "den.domains",
        "den.guarded",
    ] {
        let job = jobs::enqueue(&mut mallory, 3, source);
        jobs::ended(&mut client, job);
    }
    let mut wrong = Vec::new();
    for (statement, end) in ATTEMPTS {
        let (result, told) = attempt(&mut mallory, statement);
        let as_expected = match (&result, end) {
            (Err(code), Refused(expected)) => code == expected,
            (Ok(rows), Nothing) => is_nothing(rows),
            (Ok(_), Harmless) => true,
            _ => false,
        };
        let shown = format!("{result:?} {told}");
        // The words of the attempt itself may be repeated.
        let leaked = shown.replace(statement, "").contains(CANARY)
            || shown.contains("client 1 sings")
            || told.contains("seen: client 1");
        if !as_expected || leaked {
            wrong.push(format!("{statement}\n    should have been {end:?}, was {shown:.300}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        ATTEMPTS.len(),
        wrong.join("\n")
    );
    assert!(ATTEMPTS.len() >= 60);
    assert_eq!(state_of_others(&mut client), before);
    let is_superuser: bool = client.value("select rolsuper from pg_roles where rolname = 'mallory'", &[]);
    assert!(!is_superuser);
    // Crafted keys are found as what they are.
    let mut found: Vec<String> = mallory.values(
        "select record_id from vb_search(3, 'den.crafted', 'quote array empty control long')",
        &[],
    );
    found.sort();
    assert!(found.iter().any(|id| id == "[\"1\"]"), "{found:?}");
    assert!(mallory.value::<i64>("select count(*) from den.own", &[]) == 4);
}

#[test]
fn no_attempt_of_a_tenant_against_others_succeeds_where_each_has_a_collection() {
    all_attempts_fail("collection");
}

#[test]
fn no_attempt_of_a_tenant_against_others_succeeds_where_they_share_a_collection() {
    all_attempts_fail("payload");
}

/// Whatever ran in mallory's den since the last look, and as whom.
fn loot(client: &mut Client) -> BTreeSet<String> {
    let found: Vec<String> = client.values(
        "with taken as (delete from den.loot returning ran_as || ':' || trim(what) as what) select what from taken",
        &[],
    );
    found.into_iter().collect()
}

#[test]
fn code_of_a_source_runs_with_no_rights_but_its_authors_whoever_asks() {
    let (cluster, mut client) = shop("collection");
    client.run(
        "select vb_configure_source('den.trap', key_columns => '{id}');
         grant select on den.trap, den.domains, den.guarded to one;
         create role chief login superuser;
         select vb_grant_access('one', 3, 'write')",
    );
    loot(&mut client);
    for role in ["chief", "one"] {
        let mut session = cluster.connect_as("shop", role);
        for source in ["den.trap", "den.domains"] {
            let job = jobs::enqueue(&mut session, 3, source);
            jobs::completed(&mut client, job);
            if role == "chief" {
                session.rows(&format!("select * from vb_search(3, '{source}', 'title')"), &[]);
            }
            session.rows(&format!("select * from vb_verify(3, '{source}')"), &[]);
            session.rows(
                &format!("select * from vb_plan_backfill(3, array['{source}'::regclass])"),
                &[],
            );
        }
        client.run("select vb_purge_client(3)");
    }
    let ran = loot(&mut client);
    assert!(ran.iter().all(|what| what.starts_with("mallory:")), "{ran:?}");
    for what in ["mallory:view", "mallory:domain"] {
        assert!(ran.contains(what), "{what} did not even run: {ran:?}");
    }
    // Policies run as whoever they apply to: that is refused where it would be somebody else than their author.
    let mut one = cluster.connect_as("shop", "one");
    let error = one.error("select vb_enqueue_backfill(3, 'den.guarded')", &[]);
    assert_eq!(error.code, "42501", "{error}");
    assert!(error.hint.is_some_and(|hint| hint.contains("GRANT one TO mallory")));
}

#[test]
fn names_that_come_first_on_a_path_are_never_run_by_our_code() {
    let (cluster, mut client) = shop("collection");
    loot(&mut client);
    client.run("create role chief login superuser");
    for role in ["chief", "one"] {
        let mut session = cluster.connect_as("shop", role);
        session.run("set search_path = public, pg_catalog; create temp table vb_jobs (job_id bigint); create temp table qdrant_vectors (x int)");
        for statement in [
            "select * from vb_progress()",
            "select * from public.vb_job_status",
            "select * from public.vb_coverage",
            "select * from public.vb_collections",
            "select * from public.vb_error_report",
            "select * from public.vb_provider_status",
            "select * from public.vb_client_spending",
            "select * from public.vb_sources",
            "select * from public.vb_schedules",
            "select * from public.vb_audit",
            "select * from public.vb_access",
            "select * from vb_health()",
            "select * from vb_search(1, 'plain', 'canary')",
            "select * from vb_plan_backfill(1, '{plain}')",
            "select vb_enqueue_backfill(1, 'plain')",
            "select * from vb_verify(1, 'plain')",
            "select vb_set_window('01:00', '02:00', client_id => 1, days => '{1}')",
        ] {
            session.rows(statement, &[]);
        }
        session.run("call vb_run_backfill(1, 'plain')");
    }
    client.run("set search_path = public, pg_catalog");
    client.run("select vb_set_client_limits(1, max_jobs => 3), vb_grant_access('two', 1), vb_revoke_access('two', 1)");
    client.run("reset search_path");
    assert_eq!(loot(&mut client), BTreeSet::new());
}

#[test]
fn what_a_session_prepared_or_opened_before_shows_nothing_after_a_change_of_role() {
    let (cluster, mut client) = shop("collection");
    client.run("prepare all_of_it as select count(*) from qdrant_vectors; prepare progress as select count(*) from vb_job_status");
    let counts = |client: &mut Client| -> Vec<i64> {
        ["execute all_of_it", "execute progress"]
            .iter()
            .map(|statement| client.value(statement, &[]))
            .collect()
    };
    assert_eq!(counts(&mut client), [12, 2]);
    client.run("set role mallory");
    assert_eq!(counts(&mut client), [0, 0]);
    client.run("reset role");
    assert_eq!(counts(&mut client), [12, 2]);

    // A cursor of ours is closed by the time that code of others runs in the same transaction.
    client.run(
        "create function den.reads_on() returns text language plpgsql volatile as $$
         declare portal text; seen record; told text := '';
         begin
             -- The latest is the one that this runs in.
             for portal in select name from pg_cursors order by creation_time, length(name), name limit (select greatest(count(*) - 1, 0) from pg_cursors) loop
                 begin
                     execute format('fetch absolute 1 from %I', portal) into seen;
                     told := told || portal || coalesce(seen::text, '');
                 exception when others then null;
                 end;
             end loop;
             insert into den.loot values (current_user, told);
             return told;
         end $$;
         alter function den.reads_on() owner to mallory;
         create view den.zz as select id, client_id, title || den.reads_on() as title from den.own;
         alter view den.zz owner to mallory;
         select vb_configure_source('den.zz', key_columns => '{id}', priority => 1);
         insert into den.own values (77, 1, 'of client 1')",
    );
    loot(&mut client);
    let planned = client.rows("select * from vb_plan_backfill(1, '{plain,den.zz}')", &[]);
    assert_eq!(planned.len(), 2);
    let ran = loot(&mut client);
    assert!(!ran.is_empty(), "the function did not run");
    assert!(ran.iter().all(|what| !what.contains(CANARY)), "{ran:?}");
    drop(cluster);
}

#[test]
fn a_deputy_cannot_turn_providers_into_a_way_to_files_and_networks() {
    let (cluster, mut client) = shop("collection");
    client.run("create role deputy login; select vb_grant_access('deputy', NULL, 'admin')");
    let mut deputy = cluster.connect_as("shop", "deputy");
    let set = |arguments: &str| {
        format!(
            "select vb_set_provider('evil', kind => 'openai_compatible', model => 'm', dimensions => 4, {arguments})"
        )
    };
    let mut wrong = Vec::new();
    for arguments in [
        "endpoint => 'http://example.com'",
        "endpoint => 'https://169.254.169.254/latest/meta-data'",
        "endpoint => 'https://[fe80::1]/'",
        "endpoint => 'https://[::ffff:169.254.169.254]/'",
        "endpoint => 'https://2852039166/'",
        "endpoint => 'https://0xa9fea9fe/'",
        "endpoint => 'https://127.0.0.1:5432/'",
        "endpoint => 'https://10.0.0.8/'",
        "endpoint => 'https://[::1]/'",
        "endpoint => 'https://[fd00::1]/'",
        "endpoint => 'https://0.0.0.0/'",
        "endpoint => 'https://user:word@example.com/'",
        "endpoint => 'file:///etc/passwd'",
        "endpoint => 'unix:///var/run/postgresql/.s.PGSQL.5432'",
        "endpoint => 'gopher://example.com/'",
        "endpoint => 'https://'",
        "endpoint => 'https://example.com', api_key_ref => 'sk-this-is-a-key'",
        "endpoint => 'https://example.com', api_key_ref => 'file:etc/passwd'",
        "endpoint => 'https://example.com', api_key_ref => 'http://example.com/key'",
        r#"endpoint => 'https://example.com', options => '{"headers": {"x-a": "b\r\nauthorization: c"}}'"#,
        r#"endpoint => 'https://example.com', options => '{"headers": {"host": "other"}}'"#,
        r#"endpoint => 'https://example.com', options => '{"unheard": 1}'"#,
    ] {
        let (result, told) = attempt(&mut deputy, &set(arguments));
        if result != Err("22023".to_owned()) || told.contains("sk-this") {
            wrong.push(format!("{arguments}\n    was {result:?} {told}"));
        }
    }
    // Keys of the server are not the deputy's to send anywhere, before somebody lets him read them.
    client.run("select vb_set_provider('keyed', kind => 'openai', model => 'm', dimensions => 4, endpoint => 'https://example.com', api_key_ref => 'env:KEY')");
    for attempt in [
        set("endpoint => 'https://example.com', api_key_ref => 'env:PATH'"),
        set(r#"endpoint => 'https://example.com', options => '{"headers": {"x-api-key": "env:PATH"}}'"#),
        set(r#"endpoint => 'https://example.com', options => '{"ca_file": "/etc/passwd"}'"#),
        "select vb_set_provider('keyed', endpoint => 'https://mallory.example.com')".to_owned(),
        r#"select vb_set_provider('keyed', options => '{"local": true}')"#.to_owned(),
    ] {
        let error = deputy.error(&attempt, &[]);
        if error.code != "42501" {
            wrong.push(format!("{attempt}\n    was {error}"));
        }
    }
    deputy.run("select vb_set_provider('keyed', requests_per_minute => 10)");
    client.run("grant pg_read_server_files to deputy");
    // What only shows when it is read: never the content.
    for reference in [
        "file:/etc/passwd",
        "file:/proc/self/environ",
        "file:/dev/zero",
        "file:/etc/../etc/shadow",
        "file:/etc",
    ] {
        let arguments = format!("endpoint => 'https://example.com', api_key_ref => '{reference}'");
        deputy.run(&set(&arguments));
        let row = deputy.row("select * from vb_check_provider('evil')", &[]);
        let detail: String = row.get("detail");
        if row.get::<bool>("ok") || detail.contains("root:") {
            wrong.push(format!("{reference}\n    was {detail}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(!cluster.log().contains("sk-this-is-a-key"), "a key is in the log");
}

#[test]
fn a_database_that_knows_no_utf8_cannot_have_the_extension() {
    let cluster = Cluster::start();
    let mut client = cluster.connect("postgres");
    client.run("create database raw encoding 'SQL_ASCII' locale 'C' template template0");
    let error = cluster.connect("raw").error("create extension vector_backfill", &[]);
    assert_eq!(error.code, "0A000", "{error}");
    wait::until("a session", || {
        cluster.connect("postgres").try_rows("select 1", &[]).ok()
    });
}

#[test]
fn a_view_that_takes_for_ever_stops_its_own_job_and_nobody_elses() {
    let (cluster, mut client) = shop("collection");
    client.run("alter system set vector_backfill.source_timeout = '1s'");
    client.reload();
    client.run(
        "create function den.sleeps(text) returns text language plpgsql volatile as $$
         begin perform pg_sleep(1000); return $1; end $$;
         create view den.slow as select id, client_id, case when id = 3 then den.sleeps(title) else title end as title from den.own;
         alter function den.sleeps(text) owner to mallory; alter view den.slow owner to mallory;
         select vb_configure_source('den.slow', key_columns => '{id}')",
    );
    let mut mallory = cluster.connect_as("shop", "mallory");
    let slow = jobs::enqueue(&mut mallory, 3, "den.slow");
    // Its look is given to a reader; what others do goes on meanwhile.
    wait::until("a reader", || {
        let readers: i64 = client.value(
            "select count(*) from pg_stat_activity where backend_type = 'vector_backfill reader'",
            &[],
        );
        (readers == 1).then_some(())
    });
    let mut one = cluster.connect_as("shop", "one");
    client.run("update issues set title = title || ', and once more' where client_id = 1");
    let job = jobs::enqueue(&mut one, 1, "issues");
    assert_eq!(jobs::completed(&mut client, job).successful, 6);
    client.run(&format!("select vb_cancel({slow})"));

    // Rows that are slow only when a batch reads them.
    client.run(
        "create or replace view den.slow as select id, client_id, title from den.own;
         create table den.switch (is_slow boolean); insert into den.switch values (false);
         create or replace function den.sleeps(text) returns text language plpgsql volatile as $$
         begin if (select is_slow from den.switch) then perform pg_sleep(1000); end if; return $1; end $$;
         alter table den.switch owner to mallory;
         insert into den.own select n, 3, 'mallory has title ' || n from generate_series(100, 600) n;
         create or replace view den.slow as select id, client_id, den.sleeps(title) as title from den.own",
    );
    let slow: i64 = mallory.value("select vb_enqueue_backfill(3, 'den.slow', batch_size => 20)", &[]);
    jobs::until(&mut client, slow, "its first records", |now| now.successful > 0);
    client.run("update den.switch set is_slow = true");
    let paused = jobs::until(&mut client, slow, "a pause", |now| now.state == "paused");
    let reason = paused.last_error.unwrap_or_default();
    assert!(
        reason.starts_with("reading den.slow took longer than vector_backfill.source_timeout, 1 s"),
        "{reason}"
    );
    client.run("update issues set title = title || ', and again' where client_id = 1");
    let job = jobs::enqueue(&mut one, 1, "issues");
    assert_eq!(jobs::completed(&mut client, job).successful, 6);
    client.run("update den.switch set is_slow = false");
    mallory.run(&format!("select vb_resume({slow})"));
    jobs::completed(&mut client, slow);
}

#[test]
fn a_search_shows_of_a_view_what_a_select_shows() {
    let (cluster, mut client) = shop("collection");
    client.run(
        "create role author login; create schema desk authorization author; set role author;
         create table desk.notes (id int primary key, client_id bigint, of_role text, title text);
         insert into desk.notes values (1, 3, 'mallory', 'a note of mallory'), (2, 3, 'author', 'a secret of the author');
         create view desk.mine as select id, client_id, title from desk.notes where of_role = current_user or current_user = 'author';
         grant usage on schema desk to mallory; grant select on desk.mine to mallory; reset role;
         select vb_configure_source('desk.mine', key_columns => '{id}')",
    );
    let mut mallory = cluster.connect_as("shop", "mallory");
    let job = jobs::enqueue(&mut mallory, 3, "desk.mine");
    jobs::completed(&mut client, job);
    let found: Vec<String> = mallory.values("select record_id from vb_search(3, 'desk.mine', 'note secret')", &[]);
    assert_eq!(found, ["1"]);
}

#[test]
fn a_table_in_a_schema_of_somebody_else_is_not_read_as_its_owner() {
    let (cluster, mut client) = shop("collection");
    // Mallory could rename the schema at any moment and put a view of hers in the place of the table.
    client.run(
        "grant usage, create on schema den to one; set role one; create table den.of_one (id int primary key, client_id bigint, title text);
         grant select on den.of_one to mallory; reset role",
    );
    for (role, client_id) in [("one", 1), ("mallory", 3)] {
        let error = cluster
            .connect_as("shop", role)
            .error(&format!("select vb_enqueue_backfill({client_id}, 'den.of_one')"), &[]);
        assert_eq!(error.code, "42501", "{error}");
        assert!(
            error.message.contains("could put something else in its place"),
            "{error}"
        );
    }
}

#[test]
fn jobs_and_schedules_of_others_cannot_be_locked() {
    let (cluster, mut client) = shop("collection");
    let mut mallory = cluster.connect_as("shop", "mallory");
    mallory.run("begin; select vb_forget(1); select vb_unschedule_backfill(1)");
    client.run("set lock_timeout = '1s'; update vb_jobs set priority = priority where job_id = 1");
    client.run("update vb_backfill_schedules set priority = priority");
    mallory.run("rollback");
}

#[test]
fn an_open_transaction_on_a_job_of_ones_own_holds_up_nobody_else() {
    let (cluster, mut client) = shop("collection");
    client.run("insert into den.own select n, 3, 'mallory has title ' || n from generate_series(100, 900) n");
    let mut mallory = cluster.connect_as("shop", "mallory");
    let own: i64 = mallory.value("select vb_enqueue_backfill(3, 'den.own', batch_size => 5)", &[]);
    jobs::until(&mut client, own, "its first records", |now| now.successful > 0);
    mallory.run(&format!("begin; select vb_set_job({own}, concurrency => 4)"));
    client.run("update issues set title = title || ', and once more' where client_id = 1");
    let job = jobs::enqueue(&mut cluster.connect_as("shop", "one"), 1, "issues");
    assert_eq!(jobs::completed(&mut client, job).successful, 6);
    assert_eq!(jobs::progress(&mut client, own).state, "running");
    mallory.run("commit");
    assert_eq!(jobs::completed(&mut client, own).successful, 805);
}

#[test]
fn code_that_drops_all_locks_does_not_end_the_worker() {
    let (cluster, mut client) = shop("collection");
    client.run(
        "create function den.drops(text) returns text language plpgsql volatile as $$
         begin perform pg_advisory_unlock_all(), pg_sleep(0.3); return $1; end $$;
         create view den.dropping as select id, client_id, den.drops(title) as title from den.own;
         alter function den.drops(text) owner to mallory; alter view den.dropping owner to mallory;
         select vb_configure_source('den.dropping', key_columns => '{id}')",
    );
    let worker = "select pid from vb_worker_status";
    let before: i32 = client.value(worker, &[]);
    let job = jobs::enqueue(&mut cluster.connect_as("shop", "mallory"), 3, "den.dropping");
    let mut one = cluster.connect_as("shop", "one");
    // Each of these would start a worker if there were none.
    wait::until("the end of the job", || {
        one.rows("select vb_enqueue_backfill(1, 'issues')", &[]);
        jobs::progress(&mut client, job).has_ended().then_some(())
    });
    assert_eq!(client.value::<i32>(worker, &[]), before);
}

#[test]
fn an_open_transaction_of_a_tenant_makes_nobody_wait_for_ever() {
    let (cluster, mut client) = shop("collection");
    client.run("alter system set vector_backfill.request_timeout = '2s'");
    client.reload();
    client.run(
        "create table fresh (id int primary key, client_id bigint, title text); grant select on fresh to one, mallory",
    );
    let mut mallory = cluster.connect_as("shop", "mallory");
    // It registers the source, and holds its client.
    mallory.run("begin; select vb_enqueue_backfill(3, 'fresh'); select * from vb_verify(3, 'den.own')");
    let mut one = cluster.connect_as("shop", "one");
    one.run("set statement_timeout = '5s'");
    let job = jobs::enqueue(&mut one, 1, "fresh");
    jobs::completed(&mut client, job);
    client.run("set lock_timeout = 0; set statement_timeout = '10s'");
    client.run("select vb_set_client_limits(3, max_jobs => 1)");
    let error = client.error("select * from vb_purge_client(3)", &[]);
    assert_eq!(error.code, "55P03", "{error}");
    assert!(error.message.contains("another session has held client 3"), "{error}");
    mallory.run("rollback");
    client.rows("select * from vb_purge_client(3)", &[]);
    // What she kept from being registered is with the next job.
    jobs::backfill(&mut one, 1, "fresh");
    let registered: i64 = client.value("select count(*) from vb_sources where source = 'fresh'::regclass", &[]);
    assert_eq!(registered, 1);
}
