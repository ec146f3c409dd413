//! Work is done with the rights of the role that asked for it, and never as a superuser.

use vb_tests::agreement::assert_agreement;
use vb_tests::cluster::Cluster;
use vb_tests::store::Store;
use vb_tests::{issues, jobs};

#[test]
fn rows_that_a_policy_hides_from_the_role_are_not_embedded() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let store = Store::of(&cluster, &mut client);
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 20);
    client.run(
        "create role clerk login;
         grant select on issues to clerk;
         select vb_grant_access('clerk', 1, 'write');
         alter table issues enable row level security;
         create policy small on issues for select to clerk using (issue_id <= 12)",
    );
    let job = jobs::enqueue(&mut cluster.connect_as("shop", "clerk"), 1, "issues");
    let done = jobs::completed(&mut client, job);
    assert_eq!((done.total, done.successful), (12, 12));
    let rows = format!("{} and issue_id <= 12", issues::expected(1));
    let expectation = issues::expectation(1, &rows);
    assert_eq!(assert_agreement(&mut client, &store, expectation), 12);
}

#[test]
fn code_in_a_view_runs_with_no_more_rights_than_its_owner_has() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    // Whoever reads this view runs the code of its owner, who would like to be a superuser. What the code could do is
    // kept in the text itself: a restricted operation that fails leaves nothing else behind.
    client.run(
        "create role mallory login; create schema den authorization mallory;
         set role mallory;
         create table den.notes (id int primary key, title text);
         insert into den.notes select n, 'note ' || n from generate_series(1, 3) n;
         create function den.escape() returns text language plpgsql volatile as $$
         begin
             begin
                 execute 'reset role'; execute 'alter role mallory superuser';
                 return 'escaped as ' || current_user;
             exception when others then
                 return 'held as ' || current_user || ' by ' || sqlstate;
             end;
         end $$;
         create view den.trap as select id, 1 as client_id, title || ', ' || den.escape() as title from den.notes;
         reset role;
         select vb_configure_source('den.trap', key_columns => '{id}')",
    );
    let job = jobs::enqueue(&mut client, 1, "den.trap");
    jobs::completed(&mut client, job);
    let superuser: bool = client.value("select rolsuper from pg_roles where rolname = 'mallory'", &[]);
    assert!(!superuser, "the owner of a view became a superuser through the worker");
    let found: Vec<String> = client.values("select snippet from vb_search(1, 'den.trap', 'note')", &[]);
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|text| text.contains("held as mallory")), "{found:?}");
}

#[test]
fn a_right_that_is_taken_away_in_the_middle_stops_the_job_with_the_reason() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_long(&mut client, 1, 1, 150, 30);
    client.run(
        "create role clerk login; grant select on issues to clerk;
         select vb_grant_access('clerk', 1, 'write')",
    );
    let mut clerk = cluster.connect_as("shop", "clerk");
    let job: i64 = clerk.value("select vb_enqueue_backfill(1, 'issues', batch_size => 20)", &[]);
    jobs::until(&mut client, job, "its first records", |now| now.successful > 0);
    client.run("revoke select on issues from clerk");
    let stopped = jobs::until(&mut client, job, "a stop", |now| {
        now.state == "paused" || now.state == "failed"
    });
    assert!(
        stopped
            .last_error
            .as_deref()
            .is_some_and(|reason| reason.contains("issues")),
        "{stopped:?}"
    );
    assert!(stopped.successful < 150);
}

#[test]
fn what_a_superuser_asks_for_about_his_own_tables_is_read_without_his_rights() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    client.run(
        "create table notes (id int primary key, client_id int, title text);
         insert into notes values (1, 1, 'a note');
         create view seen as select id, client_id, title || ' seen by ' || current_user as title from notes;
         select vb_configure_source('seen', key_columns => '{id}')",
    );
    jobs::backfill(&mut client, 1, "seen");
    let snippet: String = client.value("select snippet from vb_search(1, 'seen', 'note')", &[]);
    assert_eq!(snippet, "a note seen by pg_read_all_data");

    // Policies would hide the rows from that role, as if they had been deleted.
    client.run(
        "alter table notes enable row level security;
         create view asking with (security_invoker = true) as select * from notes;
         select vb_configure_source('asking', key_columns => '{id}');
         create role clerk;
         create table drafts (like notes including all);
         alter table drafts owner to clerk;
         alter table drafts enable row level security;
         alter table drafts force row level security",
    );
    for source in ["notes", "asking", "drafts"] {
        let error = client.error(&format!("select vb_enqueue_backfill(1, '{source}')"), &[]);
        assert_eq!(error.code, "42501");
        assert!(error.message.contains("row-level security"), "{source}: {error:?}");
    }
}

#[test]
fn policies_switched_on_in_the_middle_of_a_superusers_job_remove_nothing() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_long(&mut client, 1, 1, 200, 30);
    let job: i64 = client.value("select vb_enqueue_backfill(1, 'issues', batch_size => 20)", &[]);
    jobs::until(&mut client, job, "its first records", |now| now.successful > 0);
    client.run("alter table issues enable row level security");
    let paused = jobs::until(&mut client, job, "a pause", |now| now.state == "paused");
    assert!(
        paused
            .last_error
            .is_some_and(|reason| reason.contains("row-level security"))
    );
    assert_eq!(paused.removed, 0);
    client.run("alter table issues disable row level security");
    client.rows("select vb_resume($1::bigint)", &[&job]);
    let done = jobs::completed(&mut client, job);
    assert_eq!((done.successful, done.removed), (200, 0));
}
