//! Long texts of a source that says so are cut into chunks, each with a vector of its own.

use std::collections::BTreeMap;

use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::store::Store;
use vb_tests::{issues, jobs};

const ROWS: usize = 20;

/// How many chunks each record has.
fn chunks(client: &mut Client) -> BTreeMap<String, i64> {
    let rows = client.rows(
        "select record_id, count(*) as chunks from qdrant_vectors group by record_id",
        &[],
    );
    rows.iter()
        .map(|row| (row.get("record_id"), row.get("chunks")))
        .collect()
}

#[test]
fn long_texts_have_several_points_and_a_shortened_text_loses_its_surplus() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let store = Store::of(&cluster, &mut client);
    issues::create(&mut client);
    issues::add_long(&mut client, 1, 1, ROWS, 20);
    client.run("insert into issues (issue_id, client_id, title) values (1000, 1, 'short')");
    client.run("select vb_configure_source('issues', chunk_tokens => 64, chunk_overlap => 16)");

    let done = jobs::backfill(&mut client, 1, "issues");

    assert_eq!(
        (done.successful, done.truncated),
        (ROWS as i64 + 1, 0),
        "records are counted, not chunks"
    );
    let points = issues::assert_agreement(&mut client, &store, 1);
    let before = chunks(&mut client);
    assert_eq!(before["1000"], 1);
    let long = before.iter().filter(|(key, _)| *key != "1000");
    assert!(long.clone().all(|(_, count)| *count >= 3), "{before:?}");
    assert!(points > 3 * ROWS);
    let longest: i32 = client.value("select max(token_count) from qdrant_vectors", &[]);
    assert!(
        longest <= 64 + 2,
        "a chunk of 64 tokens and its two marks have {longest} tokens"
    );

    // A question about the end of a text finds its last chunk and shows that.
    let hit = client.row(
        "select s.*, position(s.snippet in i.description) > 0 as is_part
         from issues i, vb_search(1, 'issues', right(i.description, 150), 1) s where i.issue_id = 7",
        &[],
    );
    assert!(hit.get::<i32>("chunk_no") > 0, "{hit:?}");
    assert!(
        hit.get::<bool>("is_part") || hit.get::<String>("record_id") != "7",
        "{hit:?}"
    );

    client.run("update issues set description = left(description, 300) where issue_id <= 10");
    client.run("update issues set description = description || ' ' || description where issue_id = 11");
    client.run("delete from issues where issue_id = 12");
    let done = jobs::backfill(&mut client, 1, "issues");
    assert_eq!((done.successful, done.removed), (11, 1));
    issues::assert_agreement(&mut client, &store, 1);
    let after = chunks(&mut client);
    assert!(
        (1..=10).all(|key: i32| after[&key.to_string()] < before[&key.to_string()]),
        "{before:?} {after:?}"
    );
    assert!(after["11"] > before["11"]);

    // Without chunks again, though no text has changed, the next run leaves one point a record.
    client.run("select vb_configure_source('issues')");
    let done = jobs::backfill(&mut client, 1, "issues");
    assert_eq!(done.successful, ROWS as i64);
    assert!(done.truncated > 0);
    assert_eq!(issues::assert_agreement(&mut client, &store, 1), ROWS);
    assert_eq!(jobs::backfill(&mut client, 1, "issues").successful, 0);
}
