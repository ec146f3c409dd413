//! Tables, columns and keys of all kinds.

use vb_tests::agreement::{Expectation, assert_agreement};
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::jobs;
use vb_tests::store::Store;

/// Backfills a source, checks that everything agrees, and gives the number of points.
fn backfilled(cluster: &Cluster, client: &mut Client, client_id: i64, source: &str, rows: &str) -> usize {
    let store = Store::of(cluster, client);
    jobs::backfill(client, client_id, source);
    let expectation = Expectation {
        client_id,
        source,
        vector_type: "content",
        rows,
    };
    let points = assert_agreement(client, &store, expectation);
    let again = jobs::backfill(client, client_id, source);
    assert_eq!(
        (again.successful, again.removed),
        (0, 0),
        "a second run of {source} finds work"
    );
    points
}

/// The record that a search finds first.
fn first_found(client: &mut Client, client_id: i64, source: &str, question: &str) -> String {
    let sql = "select record_id from vb_search($1::bigint, $2::text::regclass, $3, 1)";
    client.value(sql, &[&client_id, &source, &question])
}

#[test]
fn quotes_capitals_spaces_and_unicode_in_names_do_no_harm() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let source = r#""My ""Schema"" ; drop"."Tickets of 'Zoë' – 表 $1 \ %s""#;
    client.run(r#"create schema "My ""Schema"" ; drop""#);
    client.run(&format!(
        r#"create table {source} ("the ""Key""" int primary key, "Client Id" int, "Is Aktiv?" boolean,
                                  "größe" text, "select" text, "{{x}}" text, "made at" timestamptz default now())"#
    ));
    client.run(&format!(
        r#"insert into {source} select n, 7, n <> 3, 'text of number ' || n, 'and more', null
           from generate_series(1, 12) n"#
    ));
    client.rows(
        "select vb_configure_source($1::text::regclass, client_column => 'Client Id', active_column => 'Is Aktiv?',
                                    order_column => 'made at', text_columns => array['größe', 'select', '{x}'])",
        &[&source],
    );
    let rows = format!(
        r#"select "the ""Key"""::text, concat_ws(' ', nullif("größe", ''), nullif("select", ''), nullif("{{x}}", ''))
           from {source} where "Client Id" = 7 and "Is Aktiv?""#
    );
    assert_eq!(backfilled(&cluster, &mut client, 7, source, &rows), 11);
    assert_eq!(first_found(&mut client, 7, source, "text of number 12 and more"), "12");

    client.rows(
        "select vb_configure_source($1::text::regclass, client_column => 'Client Id', vector_type => 'shout',
                 template => '{größe}! {{{select}}}')",
        &[&source],
    );
    let job: i64 = client.value("select vb_enqueue_backfill(7, $1::text::regclass, 'shout')", &[&source]);
    jobs::completed(&mut client, job);
    let snippet: String = client.value(
        "select snippet from vb_search(7, $1::text::regclass, 'x', 1, 'shout') limit 1",
        &[&source],
    );
    assert!(snippet.ends_with("! {and more}"), "{snippet}");
}

#[test]
fn names_as_long_as_they_may_be_stay_apart() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let long = "t".repeat(62);
    for ending in ["a", "b"] {
        let source = format!("{long}{ending}");
        client.run(&format!(
            "create table {source} ({source} int primary key, client_id int, title text)"
        ));
        client.run(&format!(
            "insert into {source} select n, 1, 'row {ending} ' || n from generate_series(1, 5) n"
        ));
        let rows = format!("select {source}::text, title from {source} where client_id = 1");
        assert_eq!(backfilled(&cluster, &mut client, 1, &source, &rows), 5);
    }
    let collections: i64 = client.value("select count(distinct collection) from qdrant_vectors", &[]);
    assert_eq!(collections, 2);
    for ending in ["a", "b"] {
        let snippet: String = client.value(
            "select snippet from vb_search(1, $1::text::regclass, 'row', 1)",
            &[&format!("{long}{ending}")],
        );
        assert!(snippet.starts_with(&format!("row {ending}")), "{snippet}");
    }
}

#[test]
fn tables_of_the_same_name_in_two_schemas_stay_apart() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    for schema in ["sales", "support"] {
        let source = format!("{schema}.issues");
        client.run(&format!(
            "create schema {schema}; create table {source} (id int primary key, client_id bigint, title text)"
        ));
        client.run(&format!(
            "insert into {source} select n, 1, '{schema} ' || n from generate_series(1, 8) n"
        ));
        let rows = format!("select id::text, title from {source} where client_id = 1");
        assert_eq!(backfilled(&cluster, &mut client, 1, &source, &rows), 8);
    }
    let snippet: String = client.value("select snippet from vb_search(1, 'support.issues', 'sales 3', 1)", &[]);
    assert!(snippet.starts_with("support"), "{snippet}");
}

#[test]
fn a_partitioned_table_with_a_composite_key_is_one_source() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    client.run(
        "create table events (client_id int, day date, no int, title text, primary key (no, day)) partition by range (day);
         create table events_old partition of events for values from (minvalue) to ('2024-01-01');
         create table events_new partition of events for values from ('2024-01-01') to (maxvalue);
         insert into events select 1, date '2023-12-20' + n, n % 4, 'event number ' || n from generate_series(1, 30) n",
    );
    let rows = "select jsonb_build_array(no::text, day::text)::text, title from events where client_id = 1";
    assert_eq!(backfilled(&cluster, &mut client, 1, "events", rows), 30);
    assert_eq!(
        first_found(&mut client, 1, "events", "event number 7"),
        r#"["3", "2023-12-27"]"#
    );

    client.run("update events set day = day + 100 where no = 3; drop table events_old");
    let live: i64 = client.value("select count(*) from events", &[]);
    assert_eq!(backfilled(&cluster, &mut client, 1, "events", rows) as i64, live);
}

#[test]
fn keys_may_be_uuids_odd_texts_or_several_columns() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    client.run(
        r#"create table by_uuid (id uuid primary key, client_id int, title text);
           insert into by_uuid select gen_random_uuid(), 1, 'row ' || n from generate_series(1, 9) n;
           create table by_text (id text primary key, client_id int, title text);
           insert into by_text values ('', 1, 'empty'), (' ', 1, 'space'), ('it''s', 1, 'quote'), ('"', 1, 'double quote'),
               ('\', 1, 'backslash'), ('[1]', 1, 'bracket'), ('{}', 1, 'brace'), ('NULL', 1, 'null'), ('名前', 1, 'name'),
               ('a,b', 1, 'comma'), (E'line\nbreak', 1, 'line'), (repeat('k', 2000), 1, 'long key');
           create table by_many (a text, b bigint, c timestamptz, d char(3), client_id int, title text, primary key (d, b, a, c));
           insert into by_many select 'a"b' || n, n, now(), 'x', 1, 'row ' || n from generate_series(1, 9) n;
           create table by_number (id numeric primary key, client_id int, title text);
           insert into by_number values (1.50, 1, 'one and a half'), (2, 1, 'two'), (-0.001, 1, 'less than nothing')"#,
    );
    let cases = [
        ("by_uuid", "id::text", 9),
        ("by_text", "id", 12),
        ("by_many", "jsonb_build_array(d::text, b::text, a, c::text)::text", 9),
        ("by_number", "id::text", 3),
    ];
    for (source, key, count) in cases {
        let rows = format!("select {key}, title from {source} where client_id = 1");
        assert_eq!(backfilled(&cluster, &mut client, 1, source, &rows), count, "{source}");
    }
    assert_eq!(first_found(&mut client, 1, "by_text", "backslash"), "\\");
}

#[test]
fn a_view_with_a_declared_key_is_a_source() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    client.run(
        "create table people (id int primary key, client_id int, name text);
         create table notes (id int primary key, person_id int references people, note text, hidden boolean);
         insert into people select n, 1 + n % 2, 'person ' || n from generate_series(1, 6) n;
         insert into notes select n, 1 + n % 6, 'note number ' || n, n % 5 = 0 from generate_series(1, 40) n;
         create view shown_notes as
             select n.id as note_id, p.client_id, p.name || ' wrote ' || n.note as title
             from notes n join people p on p.id = n.person_id where not n.hidden",
    );
    let error = client.error("select vb_enqueue_backfill(1, 'shown_notes')", &[]);
    assert!(
        error
            .hint
            .as_deref()
            .is_some_and(|hint| hint.contains("vb_configure_source")),
        "{error}"
    );

    client.run("select vb_configure_source('shown_notes', key_columns => '{note_id}')");
    let rows = "select note_id::text, title from shown_notes where client_id = 2";
    let points = backfilled(&cluster, &mut client, 2, "shown_notes", rows);
    client.run("update notes set hidden = true where id = 2");
    assert_eq!(backfilled(&cluster, &mut client, 2, "shown_notes", rows), points - 1);
}

#[test]
fn a_table_without_clients_belongs_to_client_0() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    client.run("create table pages (id int primary key, title text); insert into pages values (1, 'about cats'), (2, 'about dogs')");
    let error = client.error("select vb_enqueue_backfill(0, 'pages')", &[]);
    assert!(error.message.contains("client_id"), "{error}");
    client.run("select vb_configure_source('pages', client_column => null)");
    assert_eq!(
        backfilled(&cluster, &mut client, 0, "pages", "select id::text, title from pages"),
        2
    );
    assert_eq!(first_found(&mut client, 0, "pages", "a kitten"), "1");
    assert_eq!(
        jobs::backfill(&mut client, 5, "pages").total,
        0,
        "other clients have no rows in it"
    );
}

#[test]
fn the_extension_works_in_a_schema_of_any_name_whatever_the_search_path_is() {
    let cluster = Cluster::start();
    cluster.connect("postgres").run("create database \"Odd; Data'base\"");
    let mut client = cluster.connect("Odd; Data'base");
    client.run(
        r#"create schema "Ext Schema é"; create extension vector_backfill schema "Ext Schema é";
           create table public.issues (id int primary key, client_id int, title text);
           insert into public.issues select n, 1, 'number ' || n from generate_series(1, 4) n;
           set search_path = pg_catalog"#,
    );
    let job: i64 = client.value(r#"select "Ext Schema é".vb_enqueue_backfill(1, 'public.issues')"#, &[]);
    let state: String = client.value(r#"select "Ext Schema é".vb_wait($1::bigint)"#, &[&job]);
    assert_eq!(state, "completed");
    let found = client.rows(
        r#"select * from "Ext Schema é".vb_search(1, 'public.issues', 'number 2', 2)"#,
        &[],
    );
    assert_eq!(found.len(), 2);
    client.run(r#"call "Ext Schema é".vb_run_backfill(1, 'public.issues')"#);
    let findings: i64 = client.value(r#"select count(*) from "Ext Schema é".vb_health()"#, &[]);
    assert_eq!(findings, 0);
}
