//! A look at a source that takes long holds up nothing else.

use std::time::Duration;

use vb_provider_double::behaviour::Behaviour;
use vb_provider_double::script;
use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::store::Store;
use vb_tests::{issues, jobs, services, sync, wait, worker};

const READERS: &str = "select pid from pg_stat_activity where backend_type = 'vector_backfill reader'";

/// As many rows as take a reader, each of which takes a while to read; 20 have a text.
const SLOW: &str = "
create table numbers (id int primary key);
insert into numbers select n from generate_series(1, 20500) n;
analyze numbers;
create table pause (seconds float8);
insert into pause values (0.002);
grant select on pause to public;
create view slow as
    select id, 2 as client_id,
           case when pg_sleep((select seconds from pause))::text = '' and id <= 20 then 'row ' || id end as title
    from numbers;
select vb_configure_source('slow', key_columns => '{id}')";

fn reader(client: &mut Client) -> i32 {
    wait::until("a reader", || client.values(READERS, &[]).first().copied())
}

#[test]
fn changes_of_others_are_followed_while_a_source_is_looked_at_for_long() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 30);
    jobs::backfill(&mut client, 1, "issues");
    sync::enable(&mut client, "issues");
    client.run(SLOW);
    client.run("update pause set seconds = 0.01");
    let slow = jobs::enqueue(&mut client, 2, "slow");
    let pid = reader(&mut client);
    for round in 0..5 {
        client.run(&format!(
            "update issues set title = 'changed {round}' where issue_id % 5 = {round}"
        ));
        sync::settled(&mut client);
    }
    client.run(
        "create table projects (id int primary key, client_id int, title text);
         insert into projects select n, 1, 'project ' || n from generate_series(1, 7) n",
    );
    assert_eq!(jobs::backfill(&mut client, 1, "projects").successful, 7);
    assert_eq!(
        client.values::<i32>(READERS, &[]),
        [pid],
        "the look had ended: this run proves nothing"
    );
    let store = Store::of(&cluster, &mut client);
    issues::assert_agreement(&mut client, &store, 1);
    client.rows("select vb_cancel($1::bigint)", &[&slow]);
}

#[test]
fn a_look_is_ended_with_its_job_and_with_its_worker_and_begins_again_when_somebody_ends_it() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    client.run(SLOW);
    let none = |client: &mut Client| {
        wait::within(Duration::from_secs(5), "the reader's end", || {
            client.values::<i32>(READERS, &[]).is_empty().then_some(())
        });
    };
    let slow = jobs::enqueue(&mut client, 2, "slow");
    reader(&mut client);
    client.rows("select vb_pause($1::bigint)", &[&slow]);
    none(&mut client);
    client.rows("select vb_resume($1::bigint)", &[&slow]);
    reader(&mut client);
    let pid = worker::started(&mut client);
    client.run(&format!("select pg_terminate_backend({pid})"));
    none(&mut client);
    let pid = reader(&mut client);
    client.run("update pause set seconds = 0");
    client.run(&format!("select pg_terminate_backend({pid})"));
    none(&mut client);
    assert_eq!(jobs::completed(&mut client, slow).successful, 20);
    let store = Store::of(&cluster, &mut client);
    let folder = store.socket().with_file_name("looks");
    assert_eq!(std::fs::read_dir(folder).expect("a folder of looks").count(), 0);
}

#[test]
fn records_that_are_tried_again_during_the_last_look_are_embedded_before_the_job_ends() {
    let service = ProviderDouble::start_with(
        Settings {
            latency: Duration::from_millis(300),
            ..Settings::default()
        },
        Box::new(|call| {
            if call.texts.iter().any(|text| text.ends_with("row 7")) {
                return Behaviour::error(400, "invalid_request_error", "cannot stand it");
            }
            Behaviour::Well
        }),
    );
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    services::register(&mut client, "double", &service, "");
    client.run(SLOW);
    client.run("update pause set seconds = 0");
    let job: i64 = client.value("select vb_enqueue_backfill(2, 'slow', provider => 'double')", &[]);
    wait::until("a call", || (service.count() > 0).then_some(()));
    client.run("update pause set seconds = 0.0005");
    jobs::until(&mut client, job, "the others", |now| {
        (now.successful, now.failed) == (19, 1)
    });
    reader(&mut client);
    service.follow(script::well());
    assert_eq!(client.value::<i64>("select vb_retry_failed($1::bigint)", &[&job]), 1);
    assert!(
        !client.values::<i32>(READERS, &[]).is_empty(),
        "the look had ended: this run proves nothing"
    );
    client.run("update pause set seconds = 0");
    let done = jobs::completed(&mut client, job);
    assert_eq!((done.successful, done.failed), (20, 0));
    let found: i64 = client.value("select count(*) from qdrant_vectors where client_id = 2", &[]);
    assert_eq!(found, 20);
}

#[test]
fn a_database_can_be_dropped_while_a_source_is_looked_at() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    client.run(SLOW);
    jobs::enqueue(&mut client, 2, "slow");
    reader(&mut client);
    drop(client);
    cluster.connect("postgres").run("drop database shop");
}

#[test]
fn without_a_slot_for_a_reader_the_worker_looks_itself() {
    // The launcher, the worker, and Postgres' own launcher of logical replication.
    let cluster = Cluster::with_settings("max_worker_processes = 3");
    let mut client = cluster.create_database("shop");
    client.run(SLOW);
    client.run("update pause set seconds = 0");
    assert_eq!(jobs::backfill(&mut client, 2, "slow").successful, 20);
    client.run("delete from numbers where id <= 10; analyze numbers");
    assert_eq!(jobs::backfill(&mut client, 2, "slow").removed, 10);
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 5);
    assert_eq!(jobs::backfill(&mut client, 1, "issues").successful, 5);
}
