//! Searches filter by the columns that a source declares, as a query over the table would, on every kind of column.

use crate::payload_shop::{COLUMNS, DECLARED, ROWS, Shop};

/// Filters, and what a query over the table says instead.
const FILTERS: [(&str, &str); 34] = [
    ("{}", "true"),
    (r#"{"status": "open"}"#, "status = 'open'"),
    (r#"{"status": "it's \"odd\""}"#, "status = 'it''s \"odd\"'"),
    (r#"{"status": "OPEN"}"#, "false"),
    (
        r#"{"status": ["open", "closed", "none"]}"#,
        "status in ('open', 'closed')",
    ),
    (r#"{"status": null}"#, "status is null"),
    (r#"{"status": {"not": null}}"#, "status is not null"),
    (r#"{"status": {"not": "open"}}"#, "status is distinct from 'open'"),
    (
        r#"{"status": {"not": ["open", "closed"]}}"#,
        "coalesce(status not in ('open', 'closed'), true)",
    ),
    (
        r#"{"status": "open", "Prio.rity": 2}"#,
        "status = 'open' and \"Prio.rity\" = 2",
    ),
    (r#"{"Prio.rity": [1, 3]}"#, "\"Prio.rity\" in (1, 3)"),
    (
        r#"{"Prio.rity": {"gte": 2, "lt": 4}}"#,
        "\"Prio.rity\" >= 2 and \"Prio.rity\" < 4",
    ),
    (
        r#"{"Prio.rity": {"gt": 1.5, "not": 3}}"#,
        "\"Prio.rity\" > 1.5 and \"Prio.rity\" <> 3",
    ),
    (
        r#"{"Prio.rity": {"gte": 1.5, "lte": 3.5}}"#,
        "\"Prio.rity\" between 2 and 3",
    ),
    (r#"{"Prio.rity": {"lt": 2.5}}"#, "\"Prio.rity\" <= 2"),
    (r#"{"score": 5.25}"#, "score = 5.25"),
    (r#"{"score": [1, 5.25, 7.5]}"#, "score in (1, 5.25, 7.5)"),
    (r#"{"score": {"lte": 3}}"#, "score <= 3"),
    (r#"{"ratio": {"gt": 10}}"#, "ratio > 10 and ratio <> 'NaN'"),
    (r#"{"ratio": null}"#, "ratio = 'NaN'"),
    (r#"{"done": true}"#, "done"),
    (r#"{"done": [false]}"#, "not done"),
    (r#"{"due": "2026-01-31"}"#, "due = '2026-01-31'"),
    (
        r#"{"due": {"gte": "2026-03-01"}}"#,
        "due >= '2026-03-01' and due < 'infinity'",
    ),
    (r#"{"due": null}"#, "due = 'infinity'"),
    (
        r#"{"seen": {"lt": "2026-01-02T00:00:02.75Z"}}"#,
        "seen < '2026-01-02T00:00:02.75Z'",
    ),
    (
        r#"{"seen": "2026-01-02 05:00:02.75+05"}"#,
        "seen = '2026-01-02 05:00:02.75+05'",
    ),
    (r#"{"made": {"gt": "2026-01-01 13:00"}}"#, "made > '2026-01-01 13:00'"),
    (r#"{"labels": "l3"}"#, "'l3' = any(labels)"),
    (r#"{"labels": null}"#, "coalesce(cardinality(labels), 0) = 0"),
    (r#"{"ratios": 1.5}"#, "1.5 = any(ratios)"),
    (r#"{"ratios": null}"#, "ratios = '{NaN}'"),
    (r#"{"sizes": 9007199254740993, "mood": "cross"}"#, "mood = 'cross'"),
    (
        r#"{"owner": "C81E728D-9D4C-2F63-6F06-7F89CC14862C", "tag": "t1"}"#,
        "owner = 'c81e728d9d4c2f636f067f89cc14862c' and tag = 't1'",
    ),
];

fn finds_what_a_query_finds(tenancy: &str) {
    let mut shop = Shop::open(&format!("vector_backfill.tenancy = '{tenancy}'"), COLUMNS);
    shop.client.run(DECLARED);
    shop.backfill(1);
    shop.backfill(2);
    for (filter, condition) in FILTERS {
        let expected: Vec<i32> = shop.client.values(
            &format!("select id from notes where client_id = 1 and {condition} order by 1"),
            &[],
        );
        for mode in ["dense", "keyword", "hybrid"] {
            assert_eq!(shop.found(mode, filter), expected, "{mode} {filter}");
        }
    }
    assert!(
        !shop
            .found("dense", r#"{"owner": "c81e728d-9d4c-2f63-6f06-7f89cc14862c"}"#)
            .is_empty()
    );
}

#[test]
fn a_filter_finds_what_a_query_over_the_table_finds() {
    finds_what_a_query_finds("collection");
}

#[test]
fn a_filter_finds_the_same_where_clients_share_a_collection() {
    finds_what_a_query_finds("payload");
}

#[test]
fn what_stores_cannot_hold_costs_nothing_or_its_record_alone() {
    let mut shop = Shop::open(
        "",
        "alter table notes add score numeric, add due date, add labels text[]",
    );
    shop.client.run(
        "update notes set score = id, due = '2026-01-01';
         update notes set score = 1e-400 where id = 1;
         update notes set score = 1e400 where id = 2;
         update notes set due = '300000-01-01' where id = 3;
         update notes set due = '-infinity' where id = 4;
         update notes set labels = array(select md5(n::text) from generate_series(1, 2000) n) where id = 5;
         select vb_configure_source('notes', payload_columns => array['score', 'due', 'labels'])",
    );
    let done = shop.backfill(1);
    assert_eq!((done.successful, done.failed), (ROWS - 1, 1));
    let failed: String = shop
        .client
        .value("select record_id || ': ' || message from vb_error_report", &[]);
    assert!(failed.starts_with("5: its payload columns have"), "{failed}");
    assert_eq!(shop.found("dense", r#"{"score": 0}"#), [1]);
    assert_eq!(shop.found("dense", r#"{"score": null}"#), [2]);
    assert_eq!(shop.found("dense", r#"{"due": null}"#), [3, 4]);
    shop.client.run("update notes set labels = '{short}' where id = 5");
    assert_eq!(shop.backfill(1).successful, 1);
    assert_eq!(shop.found("dense", r#"{"labels": "short"}"#), [5]);
}

#[test]
fn a_long_text_is_compared_as_a_whole() {
    let mut shop = Shop::open("", "alter table notes add body text");
    shop.client.run(
        "update notes set body = repeat('é', 1000 + id % 2) || case when id % 3 = 0 then '?' else '' end where id <= 12",
    );
    shop.client
        .run("select vb_configure_source('notes', payload_columns => array['body'])");
    shop.backfill(1);
    let filter: String = shop
        .client
        .value("select jsonb_build_object('body', repeat('é', 1001))::text", &[]);
    assert_eq!(shop.found("dense", &filter), [1, 5, 7, 11]);
}

#[test]
fn each_wrong_filter_has_its_own_error() {
    let mut shop = Shop::open("", COLUMNS);
    let refused = |shop: &mut Shop, filter: &str| {
        shop.client.error(
            "select * from vb_search(1, 'notes', 'anything', filter => $1::text::jsonb)",
            &[&filter],
        )
    };
    let undeclared = refused(&mut shop, r#"{"status": "open"}"#);
    assert_eq!(undeclared.code, "42703");
    assert!(undeclared.hint.unwrap().contains("payload_columns"));
    shop.client.run(DECLARED);
    for (filter, code, named) in [
        (r#"["status"]"#, "22023", "object"),
        (r#""status""#, "22023", "object"),
        (r#"{"stat": 1}"#, "42703", "\"stat\""),
        (r#"{"content": "x"}"#, "42703", "\"content\""),
        (r#"{"status": []}"#, "22023", "\"status\""),
        (r#"{"status": {}}"#, "22023", "\"status\""),
        (r#"{"status": 1}"#, "42804", "\"status\""),
        (r#"{"status": ["open", null]}"#, "42804", "null"),
        (r#"{"status": {"gt": "a"}}"#, "22023", "\"status\""),
        (r#"{"status": {"like": "a"}}"#, "22023", "\"like\""),
        (r#"{"status": {"not": {"not": "a"}}}"#, "42804", "\"status\""),
        (r#"{"Prio.rity": 1.5}"#, "42804", "1.5"),
        (r#"{"Prio.rity": "1"}"#, "42804", "\"1\""),
        (r#"{"Prio.rity": 99999999999999999999}"#, "42804", "Prio.rity"),
        (r#"{"Prio.rity": 1e400}"#, "22023", "filter"),
        (r#"{"Prio.rity": {"gte": "1"}}"#, "42804", "\"1\""),
        (r#"{"done": "true"}"#, "42804", "\"done\""),
        (r#"{"due": 5}"#, "42804", "\"due\""),
        (r#"{"due": "soon"}"#, "22007", "soon"),
        (r#"{"due": {"lt": "infinity"}}"#, "42804", "infinity"),
        (r#"{"owner": "me"}"#, "42804", "\"me\""),
        (r#"{"owner": {"lt": "me"}}"#, "22023", "\"owner\""),
        (r#"{"must": [{"key": "tenant"}]}"#, "42703", "\"must\""),
    ] {
        let error = refused(&mut shop, filter);
        assert_eq!(error.code, code, "{filter}: {error:?}");
        assert!(error.message.contains(named), "{filter}: {error:?}");
        assert!(error.hint.is_some(), "{filter}");
    }
    for (columns, code, named) in [
        ("'{}'", "22023", "payload_columns"),
        ("array[null]::name[]", "22023", "NULL"),
        ("array['stat']", "42703", "\"stat\""),
        ("array['status', 'status']", "22023", "twice"),
        ("array(select 'c' || n from generate_series(1, 33) n)", "22023", "33"),
        ("array['point']", "42804", "point"),
        ("array['json']", "42804", "jsonb"),
    ] {
        shop.client
            .run("alter table notes add if not exists point point, add if not exists json jsonb");
        let error = shop.client.error(
            &format!("select vb_configure_source('notes', payload_columns => {columns})"),
            &[],
        );
        assert_eq!(error.code, code, "{columns}: {error:?}");
        assert!(error.message.contains(named), "{columns}: {error:?}");
        assert!(error.hint.is_some(), "{columns}");
    }
}
