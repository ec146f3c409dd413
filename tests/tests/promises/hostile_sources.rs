//! Code of the author of a source, and names that come first on a path: nothing runs with rights that its author lacks, and
//! nothing that is read for one role is seen by another.

use std::collections::BTreeSet;

use vb_tests::client::Client;
use vb_tests::jobs;

use crate::attacks::CANARY;
use crate::den::{loot, shop};

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
    assert!(error.hint.is_some_and(|hint| hint.contains("Ask as role mallory")));
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
