//! A look at a source that takes long holds up nothing else.

use std::time::Duration;

use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::store::Store;
use vb_tests::{issues, jobs, sync, wait, worker};

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
