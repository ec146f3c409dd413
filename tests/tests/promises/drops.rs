//! Whatever is dropped or ended in the middle of a job goes, and the rest stays healthy.

use std::time::Duration;

use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::store::Store;
use vb_tests::{issues, jobs, wait, worker};

const ROWS: usize = 200;

/// A second, as promised, and what a busy machine may add to it.
const WITHIN: Duration = Duration::from_secs(2);

fn running_job(cluster: &Cluster, database: &str) -> (Client, i64) {
    let mut client = cluster.create_database(database);
    issues::create(&mut client);
    issues::add_long(&mut client, 1, 1, ROWS, 30);
    let job: i64 = client.value("select vb_enqueue_backfill(1, 'issues', batch_size => 30)", &[]);
    jobs::until(&mut client, job, "its first records", |now| now.successful > 0);
    (client, job)
}

fn assert_complete(cluster: &Cluster, client: &mut Client) {
    let store = Store::of(cluster, client);
    assert_eq!(issues::assert_agreement(client, &store, 1), ROWS);
}

#[test]
fn a_source_dropped_in_the_middle_fails_its_job_with_the_reason_and_nothing_else() {
    let cluster = Cluster::start();
    let (mut client, job) = running_job(&cluster, "shop");
    let pid = worker::started(&mut client);
    client.run(
        "create table projects (id int primary key, client_id int, title text);
                insert into projects select n, 1, 'project ' || n from generate_series(1, 20) n",
    );
    client.run("set lock_timeout = '10s'; drop table issues");
    let failed = jobs::ended(&mut client, job);
    assert_eq!(failed.state, "failed");
    let reason = failed.last_error.expect("a failed job has a reason");
    assert!(reason.contains("issues"), "{reason}");
    let shown: String = client.value(
        "select last_error from vb_job_status where job_id = $1::bigint",
        &[&job],
    );
    assert_eq!(shown, reason);

    assert_eq!(jobs::backfill(&mut client, 1, "projects").successful, 20);
    assert_eq!(worker::pid(&mut client), Some(pid), "the worker lives on");
    let left: i64 = client.value("select count(*) from vb_active_batches", &[]);
    assert_eq!(left, 0);
}

#[test]
fn a_source_renamed_in_the_middle_stays_the_same_source() {
    let cluster = Cluster::start();
    let (mut client, job) = running_job(&cluster, "shop");
    client.run("alter table issues rename to tickets; create schema archive; alter table tickets set schema archive");
    jobs::completed(&mut client, job);
    client.run("alter table archive.tickets set schema public; alter table tickets rename to issues");
    assert_complete(&cluster, &mut client);
    let again = jobs::backfill(&mut client, 1, "issues");
    assert_eq!((again.successful, again.removed), (0, 0));
}

#[test]
fn a_column_dropped_in_the_middle_ends_in_a_state_with_a_reason() {
    let cluster = Cluster::start();
    let (mut client, job) = running_job(&cluster, "shop");
    client.run("select vb_configure_source('issues', text_columns => '{description}')");
    client.run("alter table issues drop column description");
    let ended = wait::until("the job's answer", || {
        let now = jobs::progress(&mut client, job);
        matches!(now.state.as_str(), "failed" | "paused").then_some(now)
    });
    assert!(
        ended
            .last_error
            .as_deref()
            .is_some_and(|reason| reason.contains("description")),
        "{ended:?}"
    );
    client.run("select 1 from vb_worker_status");
}

#[test]
fn the_extension_can_be_dropped_in_the_middle_and_created_again() {
    let cluster = Cluster::start();
    let (mut client, _job) = running_job(&cluster, "shop");
    client.run("set lock_timeout = '20s'; drop extension vector_backfill");
    client.run("create extension vector_backfill");
    let job = jobs::enqueue(&mut client, 1, "issues");
    let done = jobs::completed(&mut client, job);
    assert_eq!(
        done.successful, ROWS as i64,
        "the new installation knows nothing of the old one"
    );
    assert_complete(&cluster, &mut client);

    client.run("drop extension vector_backfill");
    wait::until("the worker's end", || worker::pid(&mut client).is_none().then_some(()));
    let store = Store::of(&cluster, &mut client);
    let folder = store
        .socket()
        .parent()
        .expect("the socket is in the store's folder")
        .to_owned();
    wait::until("the end of the store's folder", || (!folder.exists()).then_some(()));
}

#[test]
fn the_database_can_be_dropped_in_the_middle_without_force() {
    let cluster = Cluster::start();
    let (client, _job) = running_job(&cluster, "doomed");
    let (mut other, job) = running_job(&cluster, "healthy");
    let other_pid = worker::started(&mut other);
    drop(client);
    other.run("drop database doomed");
    let left: i64 = other.value("select count(*) from pg_database where datname = 'doomed'", &[]);
    assert_eq!(left, 0);
    jobs::completed(&mut other, job);
    assert_complete(&cluster, &mut other);
    assert_eq!(
        worker::pid(&mut other),
        Some(other_pid),
        "the other database's worker was left alone"
    );
}

#[test]
fn a_terminated_worker_is_gone_within_a_second_and_the_next_call_starts_another() {
    let cluster = Cluster::start_not_preloaded();
    let (mut client, job) = running_job(&cluster, "shop");
    let first = worker::started(&mut client);
    let signalled: bool = client.value("select pg_terminate_backend($1::int)", &[&first]);
    assert!(signalled);
    wait::within(WITHIN, "the worker's end", || {
        (!worker::is_there(&mut client, first)).then_some(())
    });
    let suspected: i64 = client.value("select count(*) from vb_batches", &[]);
    assert_eq!(
        suspected, 0,
        "a worker that was asked to end is taken for one that crashed"
    );
    let healthy: i64 = client.value("select count(*) from qdrant_vectors", &[]);
    assert!(healthy > 0 && healthy < ROWS as i64, "{healthy} rows are embedded");

    let same = jobs::enqueue(&mut client, 1, "issues");
    assert_eq!(same, job, "the job is still the unfinished one");
    let second = worker::started(&mut client);
    assert_ne!(first, second);
    let done = jobs::completed(&mut client, job);
    assert_eq!((done.successful, done.failed), (ROWS as i64, 0));
    assert_complete(&cluster, &mut client);
}

#[test]
fn a_call_that_meets_a_worker_on_its_way_out_gets_another_one() {
    let cluster = Cluster::start_not_preloaded();
    let (mut client, first) = running_job(&cluster, "shop");
    client.run(&format!("select vb_cancel({first})"));
    for _ in 0..5 {
        let pid = worker::started(&mut client);
        client.run(&format!("select pg_terminate_backend({pid})"));
        let job = jobs::enqueue(&mut client, 2, "issues");
        assert_eq!(jobs::completed(&mut client, job).total, 0);
    }
}

#[test]
fn work_that_commits_after_its_worker_was_asked_to_end_gets_another_one() {
    let cluster = Cluster::start_not_preloaded();
    let (mut client, first) = running_job(&cluster, "shop");
    client.run(&format!("select vb_cancel({first})"));
    let pid = worker::started(&mut client);
    let mut other = cluster.connect("shop");
    other.run("begin");
    let job = jobs::enqueue(&mut other, 2, "issues");
    client.run(&format!("select pg_terminate_backend({pid})"));
    wait::within(WITHIN, "the worker's end", || {
        (worker::pid(&mut client) != Some(pid)).then_some(())
    });
    // Whoever ended it may have meant that; what was not there yet he cannot have meant.
    other.run("commit");
    assert_eq!(jobs::completed(&mut client, job).total, 0);
}

#[test]
fn a_database_copied_in_the_middle_gets_its_worker_back_by_itself() {
    let cluster = Cluster::start_not_preloaded();
    let (client, job) = running_job(&cluster, "shop");
    drop(client);
    let mut other = cluster.connect("postgres");
    wait::until("a copy of the database", || {
        other.try_run("create database copy template shop").ok()
    });
    let mut client = cluster.connect("shop");
    jobs::completed(&mut client, job);
    assert_complete(&cluster, &mut client);
}

#[test]
fn a_worker_asked_to_end_in_the_middle_of_a_long_query_ends_and_suspects_nothing() {
    let cluster = Cluster::start_not_preloaded();
    let (mut client, _job) = running_job(&cluster, "shop");
    client.run(
        "create view slow as select n as id, 2 as client_id, 'row ' || n || pg_sleep(0.001) as title
                             from generate_series(1, 100000) n;
         select vb_configure_source('slow', key_columns => '{id}')",
    );
    jobs::enqueue(&mut client, 2, "slow");
    let pid: i32 = wait::until("a worker that reads", || {
        let found = client.values(
            "select pid from vb_worker_status where waiting_for like 'looking for work%'",
            &[],
        );
        found.first().copied()
    });
    let in_flight: i64 = client.value("select count(*) from vb_active_batches", &[]);
    assert!(
        in_flight > 0,
        "nothing of the other job is in flight: this run proves nothing"
    );
    let signalled: bool = client.value("select pg_terminate_backend($1::int)", &[&pid]);
    assert!(signalled);
    wait::within(WITHIN, "the worker's end", || {
        worker::pid(&mut client).is_none().then_some(())
    });
    let suspected: i64 = client.value("select count(*) from vb_batches", &[]);
    assert_eq!(suspected, 0, "what was in flight counts as in flight at a crash");
}

#[test]
fn a_job_cancelled_while_its_source_is_looked_at_does_not_hold_up_others() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    // To look at all rows takes half a minute and more. Sorting them would be one statement without an end between.
    client.run(
        "alter database shop set enable_sort = off;
         create table numbers (id int primary key);
         insert into numbers select n from generate_series(1, 400000) n;
         analyze numbers;
         create view slow as select id, 1 as client_id,
             (select 'row ' || id || ' of ' || count(*) from generate_series(1, 1000)) as title from numbers;
         select vb_configure_source('slow', key_columns => '{id}')",
    );
    let looking = "select pid from vb_worker_status where waiting_for like 'looking for work%'";
    let slow = jobs::enqueue(&mut client, 1, "slow");
    wait::until("a worker that reads", || {
        client.values::<i32>(looking, &[]).first().copied()
    });
    client.rows("select vb_cancel($1::bigint)", &[&slow]);
    wait::within(Duration::from_secs(10), "the end of its look", || {
        client.values::<i32>(looking, &[]).is_empty().then_some(())
    });
}

#[test]
fn a_server_that_stops_fast_does_not_wait_for_the_worker() {
    let mut cluster = Cluster::start();
    let (client, _job) = running_job(&cluster, "shop");
    drop(client);
    let start = std::time::Instant::now();
    cluster.stop(vb_tests::cluster::Stop::Fast);
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "the server took {:?} to stop",
        start.elapsed()
    );
}
