//! Who may do what with which client: granted by client and level, seen and done no further.

use vb_tests::client::Client;
use vb_tests::{jobs, services};

use crate::access_shop::shop;

/// Clients that a view shows to somebody.
fn clients_in(session: &mut Client, view: &str) -> Vec<i64> {
    session.values(&format!("select distinct client_id from {view} order by 1"), &[])
}

/// The SQLSTATE of a statement that has to fail.
fn refused(session: &mut Client, statement: &str) -> String {
    session.error(statement, &[]).code
}

const VIEWS_OF_CLIENTS: [&str; 4] = ["qdrant_vectors", "vb_job_status", "vb_collections", "vb_coverage"];

#[test]
fn tables_with_something_of_a_client_have_row_level_security_and_who_was_granted_nothing_has_nothing() {
    let (cluster, mut client) = shop();
    let unprotected: Vec<String> = client.values(
        "select c.relname::text
         from pg_depend d
         join pg_extension e on e.oid = d.refobjid and d.refclassid = 'pg_extension'::regclass
         join pg_class c on c.oid = d.objid and d.classid = 'pg_class'::regclass
         join pg_attribute a on a.attrelid = c.oid and a.attname in ('client_id', 'job_id')
         where e.extname = 'vector_backfill' and c.relkind = 'r' and c.relname <> 'vb_client_access'
           and not (c.relrowsecurity and c.relforcerowsecurity)",
        &[],
    );
    assert_eq!(unprotected, Vec::<String>::new());
    let mut reader = cluster.connect_as("shop", "reader");
    for statement in [
        "select * from vb_job_status",
        "select * from qdrant_vectors",
        "select * from vb_search(1, 'notes', 'note')",
        "select vb_enqueue_backfill(1, 'notes')",
        "select vb_grant_access('reader', 1)",
    ] {
        assert_eq!(refused(&mut reader, statement), "42501", "{statement}");
    }
}

#[test]
fn a_reader_searches_and_sees_its_client_and_no_other() {
    let (cluster, mut client) = shop();
    client.run("select vb_grant_access('reader', 1)");
    let mut reader = cluster.connect_as("shop", "reader");
    for view in VIEWS_OF_CLIENTS {
        assert_eq!(clients_in(&mut reader, view), [1], "{view}");
    }
    let found: Vec<String> = reader.values(
        "select record_id from vb_search(1, 'notes', 'note number 3', k => 20)",
        &[],
    );
    assert_eq!(found.len(), 8);
    let state: String = reader.value("select vb_wait(job_id) from vb_job_status", &[]);
    assert_eq!(state, "completed");
    assert_eq!(reader.rows("select * from vb_plan_backfill(1)", &[]).len(), 1);
    for view in [
        "vb_worker_status",
        "vb_provider_status",
        "vb_sources",
        "vb_health()",
        "vb_access",
    ] {
        reader.rows(&format!("select * from {view}"), &[]);
    }
    let providers = reader.rows(
        "select * from vb_provider_status where tokens is not null or cost is not null",
        &[],
    );
    assert!(
        providers.is_empty(),
        "what all clients had of a provider: {providers:?}"
    );
    for statement in [
        "select * from vb_search(2, 'notes', 'note')",
        "select * from vb_plan_backfill(2)",
        "select vb_enqueue_backfill(1, 'notes')",
        "select vb_pause(1)",
        "select * from vb_verify(1, 'notes')",
    ] {
        assert_eq!(refused(&mut reader, statement), "42501", "{statement}");
    }
    let other: i64 = client.value("select job_id from vb_job_status where client_id = 2", &[]);
    assert_eq!(refused(&mut reader, &format!("select vb_wait({other})")), "42704");
    // Without the right to the rows there is nothing to search, whatever was granted.
    client.run("revoke select on notes from reader");
    assert_eq!(
        refused(&mut reader, "select * from vb_search(1, 'notes', 'note')"),
        "42501"
    );
}

#[test]
fn row_level_security_of_the_source_decides_what_a_search_finds() {
    let (cluster, mut client) = shop();
    client.run(
        "select vb_grant_access('reader', 1);
         alter table notes enable row level security;
         create policy few on notes for select to reader using (id <= 3)",
    );
    let mut reader = cluster.connect_as("shop", "reader");
    let mut ids: Vec<String> = reader.values(
        "select record_id from vb_search(1, 'notes', 'note number', k => 20)",
        &[],
    );
    ids.sort();
    assert_eq!(ids, ["1", "2", "3"]);
    // The same with a table of somebody who is no superuser, and policies of his.
    client.run("create role keeper; alter table notes owner to keeper; grant select on notes to reader");
    let mut ids: Vec<String> = reader.values(
        "select record_id from vb_search(1, 'notes', 'note number', k => 20)",
        &[],
    );
    ids.sort();
    assert_eq!(ids, ["1", "2", "3"]);
}

#[test]
fn a_writer_enqueues_and_controls_for_its_client_and_no_other() {
    let (cluster, mut client) = shop();
    client.run("select vb_grant_access('writer', 1, 'write')");
    let mut writer = cluster.connect_as("shop", "writer");
    services::add_notes(&mut client, 1, 201, 4);
    let job = jobs::enqueue(&mut writer, 1, "notes");
    assert_eq!(jobs::completed(&mut writer, job).successful, 4);
    client.run("alter system set vector_backfill.paused = on");
    client.reload();
    services::add_notes(&mut client, 1, 301, 4);
    let job = jobs::enqueue(&mut writer, 1, "notes");
    for (call, state) in [
        ("vb_pause", "paused"),
        ("vb_resume", "queued"),
        ("vb_cancel", "cancelled"),
    ] {
        assert_eq!(writer.value::<String>(&format!("select {call}({job})"), &[]), state);
    }
    assert!(writer.value::<bool>(&format!("select vb_forget({job})"), &[]));
    let other: i64 = client.value("select job_id from vb_job_status where client_id = 2", &[]);
    for call in ["vb_pause", "vb_resume", "vb_cancel", "vb_retry_failed", "vb_set_job"] {
        let error = writer.error(&format!("select {call}({other})"), &[]);
        assert_eq!(error.code, "42704", "{call}: {error}");
        assert_eq!(error.message, format!("there is no job {other}"));
    }
    assert!(!writer.value::<bool>(&format!("select vb_forget({other})"), &[]));
    let id: i64 = client.value("select vb_schedule_backfill(2, 'notes')", &[]);
    assert!(!writer.value::<bool>(&format!("select vb_unschedule_backfill({id})"), &[]));
    let error = writer.error("select vb_enqueue_backfill(1, 'notes', priority => 90)", &[]);
    assert_eq!(error.code, "42501", "a share of everybody's worker: {error}");
    for statement in [
        "select vb_enqueue_backfill(2, 'notes')",
        "select vb_start_backfill(2)",
        "call vb_run_backfill(2, 'notes')",
        "select vb_set_window('01:00', '02:00')",
        "select vb_set_window('01:00', '02:00', client_id => 2)",
        "select vb_set_client_limits(1)",
        "select vb_purge_client(1)",
        "select vb_enable_sync('notes')",
        "select vb_set_provider('mine', kind => 'onnx', model => 'all-MiniLM-L6-v2')",
    ] {
        assert_eq!(refused(&mut writer, statement), "42501", "{statement}");
    }
    writer.run("select vb_set_window('01:00', '02:00', client_id => 1)");
}

#[test]
fn a_grant_is_raised_lowered_and_taken_back_level_by_level() {
    let (cluster, mut client) = shop();
    let mut writer = cluster.connect_as("shop", "writer");
    let enqueue = "select vb_enqueue_backfill(1, 'notes')";
    let search = "select * from vb_search(1, 'notes', 'note')";
    client.run("select vb_grant_access('writer', 1, 'write'), vb_grant_access('writer', 1, 'read')");
    writer.rows(enqueue, &[]);
    assert!(client.value::<bool>("select vb_revoke_access('writer', 1, 'write')", &[]));
    assert_eq!(refused(&mut writer, enqueue), "42501");
    writer.rows(search, &[]);
    assert!(client.value::<bool>("select vb_revoke_access('writer', 1)", &[]));
    assert!(!client.value::<bool>("select vb_revoke_access('writer', 1)", &[]));
    for statement in [
        search,
        enqueue,
        "select * from vb_job_status",
        "select * from qdrant_vectors",
    ] {
        assert_eq!(refused(&mut writer, statement), "42501", "{statement}");
    }
    // What a group may do, its members may.
    client.run("create role staff; grant staff to writer; select vb_grant_access('staff', NULL, 'write')");
    for client_id in [1, 2] {
        writer.rows(
            "select vb_enqueue_backfill($1::bigint, 'notes')",
            &[&i64::from(client_id)],
        );
    }
    assert_eq!(clients_in(&mut writer, "vb_job_status"), [1, 2]);
    writer.rows("select * from vb_sync_status()", &[]);
    for (statement, code) in [
        ("select vb_grant_access('writer', 1, 'own')", "22023"),
        ("select vb_grant_access('writer', 1, 'admin')", "22023"),
        ("select vb_grant_access('writer', -1)", "22023"),
        ("select vb_grant_access(4711, 1)", "42704"),
        ("select vb_grant_access(NULL, 1)", "22004"),
        ("select vb_grant_access('writer', 1, NULL)", "22004"),
        ("select vb_grant_access('nobody', 1)", "42704"),
    ] {
        assert_eq!(refused(&mut client, statement), code, "{statement}");
    }
}

#[test]
fn a_deputy_administers_without_being_a_superuser_and_without_reading_rows() {
    let (cluster, mut client) = shop();
    client.run("revoke select on notes from deputy; select vb_grant_access('deputy', NULL, 'admin')");
    let mut deputy = cluster.connect_as("shop", "deputy");
    deputy.run(
        "select vb_set_provider('mine', kind => 'onnx', model => 'all-MiniLM-L6-v2', enabled => false);
         select vb_set_client_limits(1, max_jobs => 2);
         select vb_grant_access('reader', 2);
         select vb_set_window('01:00', '02:00')",
    );
    assert_eq!(clients_in(&mut deputy, "vb_job_status"), [1, 2]);
    assert_eq!(
        clients_in(&mut cluster.connect_as("shop", "reader"), "vb_job_status"),
        [2]
    );
    let purged = deputy.row("select * from vb_purge_client(2)", &[]);
    assert_eq!(purged.get::<i64>("points"), 5);
    for statement in [
        "select * from notes",
        "select * from vb_search(1, 'notes', 'note')",
        "select vb_enqueue_backfill(1, 'notes')",
        "update vb_providers set model = 'other'",
        "select vb_apply_access('deputy')",
    ] {
        assert_eq!(refused(&mut deputy, statement), "42501", "{statement}");
    }
}

#[test]
fn a_monitor_sees_counters_of_all_clients_and_texts_of_none() {
    let (cluster, mut client) = shop();
    client.run(
        "create table bad (id text primary key, client_id bigint not null, content text);
         create function fails(text) returns text language plpgsql immutable as $$
             begin if $1 ~ 'canary' then raise 'no canary, %', $1; end if; return $1; end $$;
         create view worse as select id, client_id, fails(content) as content from bad;
         select vb_configure_source('worse', key_columns => '{id}');
         insert into bad values ('canary@example.com', 1, 'a canary sings'), ('fine', 1, 'no bird')",
    );
    let job = jobs::enqueue(&mut client, 1, "worse");
    assert_eq!(jobs::completed(&mut client, job).failed, 1);
    let mut watcher = cluster.connect_as("shop", "watcher");
    assert_eq!(clients_in(&mut watcher, "vb_job_status"), [1, 2]);
    assert_eq!(clients_in(&mut watcher, "vb_coverage"), [1, 2]);
    let report = watcher.row("select * from vb_error_report", &[]);
    assert_eq!(report.get::<i64>("client_id"), 1);
    assert_eq!(report.get::<Option<String>>("record_id"), None);
    assert_eq!(report.get::<Option<String>>("message"), None);
    for view in [
        "vb_job_status",
        "vb_active_batches",
        "vb_error_report",
        "vb_sources",
        "vb_worker_status",
        "vb_provider_status",
        "vb_client_spending",
        "vb_collections",
        "vb_schedules",
        "vb_coverage",
        "vb_progress()",
        "vb_health()",
        "vb_sync_status()",
    ] {
        let shown = format!("{:?}", watcher.rows(&format!("select x::text from {view} x"), &[]));
        assert!(!shown.contains("canary"), "{view}: {shown}");
    }
    for statement in [
        "select * from qdrant_vectors",
        "select * from vb_audit",
        "select * from vb_search(1, 'notes', 'note')",
        "select vb_pause(1)",
    ] {
        assert_eq!(refused(&mut watcher, statement), "42501", "{statement}");
    }
    let messages: Vec<String> = client.values("select message from vb_error_report", &[]);
    assert!(messages[0].contains("canary"), "{messages:?}");
}

#[test]
fn access_that_is_taken_away_in_the_middle_pauses_the_job_with_the_reason() {
    let (cluster, mut client) = shop();
    services::add_notes(&mut client, 1, 1_000, 400);
    client.run("select vb_grant_access('writer', 1, 'write')");
    let mut writer = cluster.connect_as("shop", "writer");
    let job: i64 = writer.value("select vb_enqueue_backfill(1, 'notes', batch_size => 10)", &[]);
    jobs::until(&mut client, job, "its first records", |now| now.successful > 0);
    client.run("select vb_revoke_access('writer', 1)");
    let paused = jobs::until(&mut client, job, "a pause", |now| now.state == "paused");
    assert!(paused.successful < 400, "{paused:?}");
    let reason = paused.last_error.unwrap_or_default();
    assert!(
        reason.starts_with("role writer has no write access to client 1"),
        "{reason}"
    );
    client.run("select vb_grant_access('writer', 1, 'write')");
    assert_eq!(
        writer.value::<String>(&format!("select vb_resume({job})"), &[]),
        "queued"
    );
    assert_eq!(jobs::completed(&mut client, job).successful, 400);
}

#[test]
fn a_role_that_is_dropped_leaves_a_paused_job_and_no_access() {
    let (cluster, mut client) = shop();
    services::add_notes(&mut client, 1, 1_000, 400);
    client.run("select vb_grant_access('writer', 1, 'write')");
    let mut writer = cluster.connect_as("shop", "writer");
    let job: i64 = writer.value("select vb_enqueue_backfill(1, 'notes', batch_size => 10)", &[]);
    jobs::until(&mut client, job, "its first records", |now| now.successful > 0);
    drop(writer);
    client.run("drop owned by writer; drop role writer");
    let paused = jobs::until(&mut client, job, "a pause", |now| now.state == "paused");
    let reason = paused.last_error.unwrap_or_default();
    assert!(reason.contains("is gone"), "{reason}");
    client.run("select vb_grant_access('reader', 1)");
    let left: i64 = client.value("select count(*) from vb_access where role::text ~ '^[0-9]+$'", &[]);
    assert_eq!(left, 0);
}
