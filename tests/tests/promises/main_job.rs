//! The main job: rows of a table become vectors that can be searched.

use std::collections::BTreeMap;

use vb_tests::agreement::{Expectation, assert_agreement};
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::exact_search::{cosine, ranked};
use vb_tests::store::Store;
use vb_tests::{issues, jobs};

const QUESTIONS: [&str; 10] = [
    "play a video file",
    "edit photographs",
    "a game of chess",
    "protect a server against intruders",
    "numerical linear algebra",
    "fonts for Asian languages",
    "send and receive mail in the terminal",
    "compiler for an old programming language",
    "documentation of a library",
    "talk to a database from a script",
];

/// Scores of the same pair, computed by the store and here, differ by no more than this.
const ROUNDING: f64 = 1e-3;

#[test]
fn ten_thousand_rows_are_referenced_once_and_the_store_holds_exactly_their_points() {
    const ROWS: usize = 10_000;
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, ROWS);
    issues::add_short(&mut client, 2, ROWS + 1, 50);

    let done = jobs::backfill(&mut client, 1, "issues");

    assert_eq!(
        (done.total, done.processed, done.successful),
        (ROWS as i64, ROWS as i64, ROWS as i64)
    );
    assert_eq!(
        (done.failed, done.skipped, done.removed, done.percent),
        (0, 0, 0, 100.0)
    );
    assert!(done.tokens > ROWS as i64 * 5, "{done:?}");
    let store = Store::of(&cluster, &mut client);
    assert_eq!(issues::assert_agreement(&mut client, &store, 1), ROWS);
    let others: i64 = client.value("select count(*) from qdrant_vectors where client_id <> 1", &[]);
    assert_eq!(others, 0, "nobody asked for the other client's rows");
    let left: i64 = client.value("select count(*) from vb_active_batches", &[]);
    assert_eq!(left, 0, "no batch is left in flight");
    let states: Vec<String> = client.values("select state from vb_job_status", &[]);
    assert_eq!(states, ["completed"]);

    // The very row whose text is asked for comes first, wherever it is among ten thousand.
    for key in (500..=ROWS as i64).step_by(950) {
        let text: String = client.value(
            &format!("select {} from issues where issue_id = $1::bigint", issues::CONTENT),
            &[&key],
        );
        let best = client
            .rows("select * from vb_search(1, 'issues', $1, 1)", &[&text])
            .remove(0);
        assert!(
            f64::from(best.get::<f32>("score")) > 1.0 - ROUNDING,
            "{best:?} for {text:?}"
        );
    }
}

#[test]
fn ten_searches_find_what_an_exact_scan_in_plain_arithmetic_finds() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 500);
    issues::add_short(&mut client, 2, 501, 500);
    jobs::backfill(&mut client, 1, "issues");
    jobs::backfill(&mut client, 2, "issues");

    let vectors = embeddings(&mut client, 1);
    for question in QUESTIONS {
        let query: Vec<f32> = client.value("select vb_embed($1)", &[&question]);
        let exact = ranked(&query, &vectors);
        let worst = exact[9].1;
        let hits = client.rows("select * from vb_search(1, 'issues', $1)", &[&question]);
        assert_eq!(hits.len(), 10, "{question}");
        let mut before = f64::INFINITY;
        for (hit, (_, best)) in hits.iter().zip(&exact) {
            let (record_id, score): (String, f32) = (hit.get("record_id"), hit.get("score"));
            let score = f64::from(score);
            let vector = vectors.get(&record_id);
            let vector = vector.unwrap_or_else(|| panic!("{question}: {record_id} is not a row of this client"));
            let similarity = cosine(&query, vector);
            assert!(
                (score - similarity).abs() < ROUNDING,
                "{question}: {record_id} scores {score}, not {similarity}"
            );
            assert!(
                (score - best).abs() < ROUNDING,
                "{question}: {score} stands where the exact scan has {best}"
            );
            assert!(
                similarity > worst - ROUNDING,
                "{question}: {record_id} is not among the ten nearest"
            );
            assert!(score <= before, "{question}: the hits are not in order");
            before = score;
        }
        let snippet: String = hits[0].get("snippet");
        let key: String = hits[0].get("record_id");
        let text: String = client.value(
            &format!("select {} from issues where issue_id::text = $1", issues::CONTENT),
            &[&key],
        );
        assert_eq!(snippet, text, "the snippet of a short text is the text");
    }
}

/// The vectors of all rows of a client, made anew.
fn embeddings(client: &mut Client, client_id: i64) -> BTreeMap<String, Vec<f32>> {
    let sql = format!(
        "select issue_id::text as id, vb_embed({}) as vector from issues where client_id = $1::bigint",
        issues::CONTENT
    );
    client
        .rows(&sql, &[&client_id])
        .iter()
        .map(|row| (row.get("id"), row.get("vector")))
        .collect()
}

#[test]
fn one_call_after_create_extension_shows_progress_and_ends_with_the_totals() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_long(&mut client, 1, 1, 120, 20);

    client.take_notices();
    client.run("call vb_run_backfill(1, 'issues', batch_size => 10)");

    let notices: Vec<String> = client.take_notices().into_iter().map(|notice| notice.message).collect();
    let (totals, progress) = notices.split_last().expect("a notice was raised");
    assert!(totals.contains("completed") && totals.contains("120 done"), "{totals}");
    assert!(
        progress.iter().any(|line| line.contains("/ 120 records")),
        "{progress:#?}"
    );
    let references: i64 = client.value("select count(*) from qdrant_vectors", &[]);
    assert_eq!(references, 120);
}

#[test]
fn summary_and_metadata_are_other_texts_with_vectors_of_their_own() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let store = Store::of(&cluster, &mut client);
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 40);
    client.run(
        "update issues set summary = '' where issue_id % 4 = 0; update issues set status = null where issue_id % 3 = 0",
    );

    let summary = "select issue_id::text, coalesce(nullif(summary, ''), title) from issues where active";
    let metadata = "
        select issue_id::text, concat_ws(' ', 'status: ' || nullif(status, ''), 'priority: ' || nullif(priority, ''),
                                         'type: ' || nullif(type, ''))
        from issues where active";
    for (vector_type, rows) in [("summary", summary), ("metadata", metadata)] {
        let job: i64 = client.value("select vb_enqueue_backfill(1, 'issues', $1)", &[&vector_type]);
        jobs::completed(&mut client, job);
        let expectation = Expectation {
            client_id: 1,
            source: "issues",
            vector_type,
            rows,
        };
        assert_eq!(assert_agreement(&mut client, &store, expectation), 40);
    }
    let collections: i64 = client.value("select count(distinct collection) from qdrant_vectors", &[]);
    assert_eq!(collections, 2, "each vector type has a collection of its own");
    let found = client.rows(
        "select * from vb_search(1, 'issues', 'status open', 3, 'metadata')",
        &[],
    );
    assert_eq!(found.len(), 3);
}
