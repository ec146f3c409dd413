//! Each wrong argument has an error of its own that names it and says what to do, and leaves nothing behind.

use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::issues;

/// A statement, the SQLSTATE it has to fail with, and what its message has to name.
type Case = (&'static str, &'static str, &'static str);

const INVALID: &str = "22023";
const NULL_VALUE: &str = "22004";
const UNDEFINED_OBJECT: &str = "42704";
const UNDEFINED_COLUMN: &str = "42703";
const WRONG_TYPE: &str = "42804";
const WRONG_KIND: &str = "42809";

const ENQUEUE: [Case; 20] = [
    ("select vb_enqueue_backfill(1, 'issues', 'essence')", INVALID, "essence"),
    ("select vb_enqueue_backfill(1, 'issues', '')", INVALID, "\"\""),
    (
        "select vb_enqueue_backfill(1, 'issues', preference => 'cheap')",
        INVALID,
        "cheap",
    ),
    (
        "select vb_enqueue_backfill(1, 'issues', provider => 'nobody')",
        UNDEFINED_OBJECT,
        "nobody",
    ),
    (
        "select vb_enqueue_backfill(1, 'issues', batch_size => 0)",
        INVALID,
        "batch_size",
    ),
    (
        "select vb_enqueue_backfill(1, 'issues', batch_size => -5)",
        INVALID,
        "batch_size",
    ),
    (
        "select vb_enqueue_backfill(1, 'issues', batch_size => 2000000000)",
        INVALID,
        "batch_size",
    ),
    (
        "select vb_enqueue_backfill(1, 'issues', max_retries => -1)",
        INVALID,
        "max_retries",
    ),
    (
        "select vb_enqueue_backfill(1, 'issues', priority => 0)",
        INVALID,
        "priority",
    ),
    ("select vb_enqueue_backfill(-1, 'issues')", INVALID, "client_id"),
    ("select vb_enqueue_backfill(null, 'issues')", NULL_VALUE, "client_id"),
    ("select vb_enqueue_backfill(1, null)", NULL_VALUE, "source"),
    (
        "select vb_enqueue_backfill(1, 'issues', null)",
        NULL_VALUE,
        "vector_type",
    ),
    (
        "select vb_enqueue_backfill(1, 'issues', preference => null)",
        NULL_VALUE,
        "preference",
    ),
    (
        "select vb_enqueue_backfill(1, 'issues', reembed => null)",
        NULL_VALUE,
        "reembed",
    ),
    (
        "select vb_enqueue_backfill(1, 'no_client')",
        UNDEFINED_COLUMN,
        "client_id",
    ),
    ("select vb_enqueue_backfill(1, 'text_client')", WRONG_TYPE, "client_id"),
    ("select vb_enqueue_backfill(1, 'no_key')", INVALID, "no_key"),
    (
        "select vb_enqueue_backfill(1, 'issues_pkey')",
        WRONG_KIND,
        "issues_pkey",
    ),
    (
        "select vb_enqueue_backfill(1, 'passing')",
        WRONG_KIND,
        "is a temporary table",
    ),
];

const OTHERS: [Case; 21] = [
    (
        "select vb_configure_source('issues', text_columns => '{nowhere}')",
        UNDEFINED_COLUMN,
        "nowhere",
    ),
    (
        "select vb_configure_source('issues', key_columns => '{nowhere}')",
        UNDEFINED_COLUMN,
        "nowhere",
    ),
    (
        "select vb_configure_source('issues', client_column => 'nowhere')",
        UNDEFINED_COLUMN,
        "nowhere",
    ),
    (
        "select vb_configure_source('issues', active_column => 'title')",
        WRONG_TYPE,
        "title",
    ),
    (
        "select vb_configure_source('issues', template => '{nowhere}')",
        UNDEFINED_COLUMN,
        "nowhere",
    ),
    (
        "select vb_configure_source('issues', template => 'no mark')",
        INVALID,
        "template",
    ),
    (
        "select vb_configure_source('issues', template => '{title')",
        INVALID,
        "template",
    ),
    (
        "select vb_configure_source('issues', template => '{title}', text_columns => '{title}')",
        INVALID,
        "template",
    ),
    (
        "select vb_configure_source('issues', chunk_tokens => 0)",
        INVALID,
        "chunk_tokens",
    ),
    (
        "select vb_configure_source('issues', chunk_tokens => 50, chunk_overlap => 50)",
        INVALID,
        "chunk_overlap",
    ),
    (
        "select vb_configure_source('issues', vector_type => 'Not A Type')",
        INVALID,
        "Not A Type",
    ),
    ("select vb_configure_source(null)", NULL_VALUE, "source"),
    ("select vb_search(1, 'issues', '')", INVALID, "query"),
    ("select vb_search(1, 'issues', 'x', 0)", INVALID, "k"),
    (
        "select vb_search(1, 'issues', 'x', 5, 'content', 'psychic')",
        INVALID,
        "psychic",
    ),
    ("select vb_search(1, 'issues', null)", NULL_VALUE, "query"),
    ("select vb_embed('x', 'nobody')", UNDEFINED_OBJECT, "nobody"),
    ("select vb_embed('')", INVALID, "input"),
    ("select vb_embed(null)", NULL_VALUE, "input"),
    ("select vb_check_provider('nobody')", UNDEFINED_OBJECT, "nobody"),
    ("select vb_retry_failed(4711)", UNDEFINED_OBJECT, "4711"),
];

fn assert_refused(client: &mut Client, (sql, code, named): Case) -> Option<String> {
    let error = client.error(sql, &[]);
    let hint = error.hint.as_deref().unwrap_or_default();
    let detail = error.detail.as_deref().unwrap_or_default();
    let mut faults = Vec::new();
    if error.code != code {
        faults.push(format!("SQLSTATE is {}, not {code}", error.code));
    }
    if !error.message.contains(named) {
        faults.push(format!("the message does not name {named}"));
    }
    if hint.is_empty() {
        faults.push("there is no hint".to_owned());
    }
    if detail.contains("backtrace") || detail.contains(".rs") {
        faults.push("the detail shows Rust".to_owned());
    }
    (!faults.is_empty()).then(|| format!("{sql}\n    {error}\n    {}", faults.join("; ")))
}

fn setting() -> (Cluster, Client) {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 3);
    client.run(
        "create table no_client (id int primary key, title text);
         create table text_client (id int primary key, client_id text, title text);
         create table no_key (id int, client_id int, title text);
         create temp table passing (id int primary key, client_id bigint, title text)",
    );
    (cluster, client)
}

fn assert_nothing_left(client: &mut Client) {
    for table in [
        "vb_jobs",
        "vb_source_settings",
        "vb_source_texts",
        "vb_collection_generations",
        "qdrant_vectors",
    ] {
        let rows: i64 = client.value(&format!("select count(*) from {table}"), &[]);
        assert_eq!(rows, 0, "a refused call left something in {table}");
    }
}

#[test]
fn each_wrong_argument_of_an_enqueue_has_its_own_error_and_leaves_nothing_behind() {
    let (_cluster, mut client) = setting();
    let faults: Vec<_> = ENQUEUE
        .into_iter()
        .filter_map(|case| assert_refused(&mut client, case))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let error = client.error("select vb_enqueue_backfill(1, 'nowhere')", &[]);
    assert_eq!(error.code, "42P01", "{error}");
    assert!(error.message.contains("nowhere"), "{error}");
    let error = client.error("select vb_enqueue_backfill(1, 4711::regclass)", &[]);
    assert_eq!(error.code, "42P01", "{error}");
    assert_nothing_left(&mut client);
}

#[test]
fn each_wrong_argument_of_the_other_functions_has_its_own_error_and_leaves_nothing_behind() {
    let (_cluster, mut client) = setting();
    let faults: Vec<_> = OTHERS
        .into_iter()
        .filter_map(|case| assert_refused(&mut client, case))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    for function in ["vb_wait", "vb_pause", "vb_resume", "vb_cancel", "vb_retry_failed"] {
        let unknown = client.error(&format!("select {function}(4711)"), &[]);
        assert_eq!(unknown.code, UNDEFINED_OBJECT, "{function}: {unknown}");
        assert!(
            unknown.message.contains("4711") && unknown.hint.is_some(),
            "{function}: {unknown}"
        );
        let null = client.error(&format!("select {function}(null)"), &[]);
        assert_eq!(null.code, NULL_VALUE, "{function}: {null}");
    }
    let forgotten: bool = client.value("select vb_forget(4711)", &[]);
    assert!(!forgotten, "there was nothing to forget");
    assert_nothing_left(&mut client);
}

#[test]
fn a_role_without_select_on_the_table_cannot_enqueue() {
    let (cluster, mut client) = setting();
    client.run("create role clerk login; select vb_grant_access('clerk', 1, 'write')");
    let mut clerk = cluster.connect_as("shop", "clerk");
    let error = clerk.error("select vb_enqueue_backfill(1, 'issues')", &[]);
    assert_eq!(error.code, "42501", "{error}");
    assert!(error.message.contains("issues"), "{error}");
    assert!(error.hint.is_some(), "{error}");
    assert_nothing_left(&mut client);

    client.run("grant select (issue_id, client_id, title) on issues to clerk");
    let error = clerk.error("select vb_enqueue_backfill(1, 'issues')", &[]);
    assert_eq!(error.code, "42501", "a right on some columns is not enough: {error}");

    client.run("grant select on issues to clerk");
    let job: i64 = clerk.value("select vb_enqueue_backfill(1, 'issues')", &[]);
    vb_tests::jobs::completed(&mut client, job);
}
