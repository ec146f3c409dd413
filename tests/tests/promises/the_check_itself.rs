//! The check that most tests end with finds every kind of difference.

use vb_tests::agreement::compare;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::store::Store;
use vb_tests::{issues, jobs};

/// Kinds of differences, each with the records it names.
fn differences(client: &mut Client, store: &Store) -> Vec<(&'static str, usize)> {
    let rows = issues::expected(1);
    let expectation = issues::expectation(1, &rows);
    let comparison = compare(client, store, expectation);
    comparison
        .differences
        .0
        .into_iter()
        .map(|(kind, found)| (kind, found.len()))
        .collect()
}

#[test]
fn differences_between_source_references_and_store_are_found() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let store = Store::of(&cluster, &mut client);
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 30);
    jobs::backfill(&mut client, 1, "issues");
    assert_eq!(differences(&mut client, &store), []);

    // Each step makes one kind of difference; none is taken back.
    client.run("update issues set summary = 'another text' where issue_id = 1");
    let stale = ("referenced with the hash of another text", 1);
    assert_eq!(differences(&mut client, &store), [stale]);
    client.run("delete from issues where issue_id in (2, 3)");
    let gone = ("referenced, but not a row of the source", 2);
    assert_eq!(differences(&mut client, &store), [stale, gone]);
    client.run("insert into issues (issue_id, client_id, title) values (100, 1, 'new')");
    let missing = ("a row of the source, but neither referenced nor set aside", 1);
    assert_eq!(differences(&mut client, &store), [missing, stale, gone]);
    client.run("update qdrant_vectors set point_id = gen_random_uuid() where record_id in ('4', '5', '6')");
    let lost = ("a referenced point that the store does not hold", 3);
    let orphan = ("a point in the store that nothing refers to", 3);
    assert_eq!(differences(&mut client, &store), [orphan, lost, missing, stale, gone]);
    client.run("update qdrant_vectors set chunk_no = 1 where record_id = '7'");
    let gap = ("has chunks with gaps in their numbers", 1);
    assert_eq!(
        differences(&mut client, &store),
        [orphan, lost, missing, gap, stale, gone]
    );
    client.run("update qdrant_vectors set point_id = (select point_id from qdrant_vectors where record_id = '8') where record_id = '9'");
    let shared = ("shares its point with another reference", 1);
    let orphans = (orphan.0, 4);
    assert_eq!(
        differences(&mut client, &store),
        [orphans, lost, missing, gap, stale, gone, shared]
    );
}
