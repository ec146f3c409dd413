//! What a role with access to a client of its own tries against two others: each attempt is refused with the right SQLSTATE or finds nothing, and nothing of the others comes to light or changes.

use vb_tests::client::Client;
use vb_tests::jobs;
use vb_tests::sql_error::CallError;

use crate::den::shop;

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
pub(crate) const CANARY: &str = "canary";

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
    ("select record_id from qdrant_vectors where client_id <> 3", Nothing),
    (
        "explain analyze select from qdrant_vectors where client_id = 1 and content_hash = sha256('canary')",
        Refused("42501"),
    ),
    (
        "explain analyze select from qdrant_vectors where client_id = 1 and token_count > 3",
        Refused("42501"),
    ),
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
        "select model from qdrant_vectors where den.leaks(record_id) and den.leaks(client_id)",
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
        "select model from qdrant_vectors where record_id operator(den.~~~) '%'",
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
    ("select vb_enqueue_backfill(3, 'qdrant_vectors')", Refused("42501")),
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
pub(crate) fn attempt(session: &mut Client, statement: &str) -> (Result<Vec<String>, String>, String) {
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
