//! A second run does what changed since the first, and nothing else.

use vb_tests::agreement::{Expectation, assert_agreement};
use vb_tests::cluster::Cluster;
use vb_tests::store::Store;
use vb_tests::{issues, jobs};

const ROWS: i64 = 600;

#[test]
fn a_second_run_embeds_nothing_and_a_third_exactly_what_changed() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let store = Store::of(&cluster, &mut client);
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, ROWS as usize);
    let first = jobs::enqueue(&mut client, 1, "issues");
    jobs::completed(&mut client, first);
    assert_eq!(issues::assert_agreement(&mut client, &store, 1) as i64, ROWS);

    let second = jobs::enqueue(&mut client, 1, "issues");
    assert_ne!(first, second, "a completed job is not opened again");
    let done = jobs::completed(&mut client, second);
    assert_eq!((done.total, done.successful, done.tokens, done.removed), (0, 0, 0, 0));
    assert_eq!(done.percent, 100.0);

    client.run("update issues set summary = summary || ' (changed)' where issue_id <= 100");
    client.run("delete from issues where issue_id between 201 and 250");
    client.run("update issues set active = false where issue_id between 301 and 325");
    client.run("update issues set status = 'closed', priority = null where issue_id > 400");
    let done = jobs::backfill(&mut client, 1, "issues");
    assert_eq!((done.total, done.successful, done.removed), (100, 100, 75));
    assert!(done.tokens > 0);
    assert_eq!(issues::assert_agreement(&mut client, &store, 1) as i64, ROWS - 75);

    client.run("update issues set active = true where not active");
    let done = jobs::backfill(&mut client, 1, "issues");
    assert_eq!((done.successful, done.removed), (25, 0));
    assert_eq!(issues::assert_agreement(&mut client, &store, 1) as i64, ROWS - 50);
}

#[test]
fn a_row_that_moves_to_another_client_or_key_takes_its_vector_along() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let store = Store::of(&cluster, &mut client);
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 60);
    let rows = [issues::expected(1), issues::expected(2)];
    let expectation = |client_id: i64| Expectation {
        client_id,
        source: "issues",
        vector_type: "content",
        rows: &rows[client_id as usize - 1],
    };
    jobs::backfill(&mut client, 1, "issues");

    client.run("update issues set client_id = 2 where issue_id <= 10");
    client.run("update issues set issue_id = issue_id + 1000 where issue_id > 50");
    let done = jobs::backfill(&mut client, 1, "issues");
    assert_eq!((done.successful, done.removed), (10, 20));
    assert_eq!(assert_agreement(&mut client, &store, expectation(1)), 50);
    assert_eq!(jobs::backfill(&mut client, 2, "issues").successful, 10);
    assert_eq!(assert_agreement(&mut client, &store, expectation(2)), 10);

    client.run("truncate issues");
    assert_eq!(jobs::backfill(&mut client, 1, "issues").removed, 50);
    assert_eq!(assert_agreement(&mut client, &store, expectation(1)), 0);
    let others: i64 = client.value("select count(*) from qdrant_vectors where client_id = 2", &[]);
    assert_eq!(others, 10, "a client's job leaves other clients alone");
    assert_eq!(jobs::backfill(&mut client, 2, "issues").removed, 10);
    assert_eq!(assert_agreement(&mut client, &store, expectation(2)), 0);
}

#[test]
fn reembed_makes_every_vector_anew() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let store = Store::of(&cluster, &mut client);
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 30);
    let first = jobs::backfill(&mut client, 1, "issues");
    let made_at: String = client.value("select max(embedded_at)::text from qdrant_vectors", &[]);

    let job: i64 = client.value("select vb_enqueue_backfill(1, 'issues', reembed => true)", &[]);
    let done = jobs::completed(&mut client, job);

    assert_eq!((done.successful, done.tokens), (30, first.tokens));
    let older: i64 = client.value(
        "select count(*) from qdrant_vectors where embedded_at <= $1::text::timestamptz",
        &[&made_at],
    );
    assert_eq!(older, 0);
    assert_eq!(issues::assert_agreement(&mut client, &store, 1), 30);
}

#[test]
fn references_that_got_lost_come_back_with_the_next_run() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let store = Store::of(&cluster, &mut client);
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 40);
    jobs::backfill(&mut client, 1, "issues");

    client.run("delete from qdrant_vectors where record_id::int <= 15");
    let done = jobs::backfill(&mut client, 1, "issues");

    assert_eq!(done.successful, 15);
    assert_eq!(issues::assert_agreement(&mut client, &store, 1), 40);
}
