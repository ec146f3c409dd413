//! Texts of all kinds, and none.

use vb_tests::agreement::{Expectation, assert_agreement};
use vb_tests::cluster::Cluster;
use vb_tests::store::Store;
use vb_tests::{debian, issues, jobs};

#[test]
fn rows_without_text_are_skipped_and_odd_texts_are_embedded() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let store = Store::of(&cluster, &mut client);
    issues::create(&mut client);
    client.run(
        r"insert into issues (issue_id, client_id, title, summary, description) values
          (1, 1, null, null, null), (2, 1, '', '', ''), (3, 1, '   ', null, E'\n\t '), (4, 1, null, '', ' '),
          (10, 1, '🎉', null, null), (11, 1, '👩‍👩‍👧‍👦 family 🇩🇪', null, null),
          (12, 1, 'مرحبا بالعالم', 'שלום עולם', null), (13, 1, '日本語のテキスト', null, null),
          (14, 1, E'tab\tand\nnew line\r\n', null, null), (15, 1, E'\u200B', null, null), (16, 1, E'\u0001\u0002', null, null),
          (17, 1, 'e' || repeat(E'\u0301', 300), null, null), (18, 1, 'same', null, null), (19, 1, 'same', null, null),
          (20, 1, '[CLS] [SEP] [MASK] <script>', null, null), (21, 1, E'\\x00 \' or 1=1 --', null, null),
          (22, 1, repeat('x', 5000), null, null), (23, 1, E'\U0010FFFF\uFFFD', null, null), (24, 1, E'\u00A0', null, null)",
    );
    let skipped = "issue_id < 10";

    let done = jobs::backfill(&mut client, 1, "issues");

    assert_eq!((done.total, done.failed), (19, 0), "{done:?}");
    let rows = format!(
        "select issue_id::text, {} from issues where client_id = 1 and not {skipped}",
        issues::CONTENT
    );
    let without_text: i64 = client.value(&format!("select count(*) from issues where {skipped}"), &[]);
    assert!(done.skipped >= without_text, "{done:?}");
    // White space that only Unicode knows as such may count as text or not.
    if done.skipped > without_text {
        client.run(
            "delete from issues where issue_id in (15, 24) and not exists
                    (select from qdrant_vectors where record_id = issue_id::text)",
        );
    }
    let expectation = issues::expectation(1, &rows);
    assert!(assert_agreement(&mut client, &store, expectation) >= 13);
    for (question, key) in [("hello world in Hebrew: שלום עולם", "12"), ("🎉", "10")] {
        let found: Vec<String> = client.values("select record_id from vb_search(1, 'issues', $1, 5)", &[&question]);
        assert!(found.contains(&key.to_owned()), "{question}: {found:?}");
    }

    client.run("update issues set title = null, summary = null, description = '' where issue_id = 18");
    let done = jobs::backfill(&mut client, 1, "issues");
    assert_eq!(
        (done.successful, done.removed),
        (0, 1),
        "a row that loses its text loses its vector"
    );
    assert_agreement(&mut client, &store, expectation);
}

#[test]
fn a_text_of_a_megabyte_is_cut_to_the_models_window_and_counted() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let store = Store::of(&cluster, &mut client);
    issues::create(&mut client);
    let pages: String = debian::texts(40, 20).join("\n");
    let megabyte = pages.repeat(1 + (1 << 20) / pages.len());
    assert!(megabyte.len() > 1 << 20);
    for key in 1..=6_i64 {
        let text = format!("{key} {megabyte}");
        client.rows(
            "insert into issues (issue_id, client_id, description) values ($1::bigint, 1, $2)",
            &[&key, &text],
        );
    }
    client.run("insert into issues (issue_id, client_id, description) values (7, 1, 'short')");
    client
        .run("insert into issues (issue_id, client_id, description) values (8, 1, repeat('no spaces at all', 70000))");

    let done = jobs::backfill(&mut client, 1, "issues");

    assert_eq!((done.successful, done.failed), (8, 0));
    assert!(done.truncated >= 6, "{done:?}");
    assert_eq!(issues::assert_agreement(&mut client, &store, 1), 8);
    let longest: i32 = client.value("select max(token_count) from qdrant_vectors", &[]);
    assert!(longest <= 256, "the model saw {longest} tokens of a text");
    let snippets: Vec<String> = client.values("select snippet from vb_search(1, 'issues', 'anything')", &[]);
    assert_eq!(snippets.len(), 8);
    assert!(snippets.iter().all(|snippet| snippet.chars().count() <= 500));
}

#[test]
fn an_empty_table_and_a_client_without_rows_are_complete_at_once() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let store = Store::of(&cluster, &mut client);
    issues::create(&mut client);
    let done = jobs::backfill(&mut client, 1, "issues");
    assert_eq!((done.total, done.successful, done.percent), (0, 0, 100.0));
    issues::add_short(&mut client, 2, 1, 5);
    let done = jobs::backfill(&mut client, 1, "issues");
    assert_eq!((done.total, done.successful, done.percent), (0, 0, 100.0));
    assert_eq!(issues::assert_agreement(&mut client, &store, 1), 0);
    let found = client.rows("select * from vb_search(1, 'issues', 'anything')", &[]);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_table_without_a_fitting_column_says_how_to_configure_it() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let store = Store::of(&cluster, &mut client);
    client.run(
        "create table measures (id int primary key, client_id int, reading numeric, remark text);
                insert into measures select n, 1, n / 10.0, 'remark ' || n from generate_series(1, 3) n",
    );
    let error = client.error("select vb_enqueue_backfill(1, 'measures')", &[]);
    assert_eq!(error.code, "42703", "{error}");
    assert!(
        error.message.contains("measures") && error.message.contains("summary"),
        "{error}"
    );
    assert!(
        error
            .hint
            .as_deref()
            .is_some_and(|hint| hint.contains("vb_configure_source")),
        "{error}"
    );

    client.run("select vb_configure_source('measures', template => 'reading {reading}: {remark}')");
    jobs::backfill(&mut client, 1, "measures");
    let rows = "select id::text, 'reading ' || reading || ': ' || remark from measures";
    let expectation = Expectation {
        client_id: 1,
        source: "measures",
        vector_type: "content",
        rows,
    };
    assert_eq!(assert_agreement(&mut client, &store, expectation), 3);
}

#[test]
fn a_database_in_another_encoding_than_utf8_is_refused_with_a_hint() {
    let cluster = Cluster::start();
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let create = format!("create database old_{encoding} encoding '{encoding}' locale 'C' template template0");
        cluster.connect("postgres").run(&create);
        let mut client = cluster.connect(&format!("old_{encoding}").to_lowercase());
        let error = client.error("create extension vector_backfill", &[]);
        assert_eq!(error.code, "0A000", "{error}");
        assert!(error.message.contains(encoding), "{error}");
        assert!(
            error.hint.as_deref().is_some_and(|hint| hint.contains("UTF8")),
            "{error}"
        );
    }
}
