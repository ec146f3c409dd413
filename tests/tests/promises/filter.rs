//! Searches filter by the columns that a source declares: as a query over the table would, on every kind of column, and with
//! what the rows say now, which costs no embedding.

use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::store::Store;
use vb_tests::{jobs, services};

const ROWS: i64 = 120;

/// Notes of two clients with columns of every kind, by all of which searches filter.
const COLUMNS: &str = "
create type mood as enum ('calm', 'cross');
create domain stars as numeric check (value >= 0);
alter table notes
    add status text, add \"Prio.rity\" int, add score stars, add ratio real, add done boolean, add due date,
    add seen timestamptz, add made timestamp, add labels text[], add sizes bigint[], add ratios float8[], add mood mood, add owner uuid,
    add tag char(5);
update notes set
    status = (array['open', 'closed', 'it''s \"odd\"', null])[1 + id % 4], \"Prio.rity\" = nullif(id % 6, 5),
    score = id / 4.0, ratio = case when id % 7 = 0 then 'NaN' else id / 8.0 end, done = nullif(id % 3, 2) = 1,
    due = case when id % 9 = 0 then 'infinity' else date '2026-01-01' + id end,
    seen = timestamptz '2026-01-01 12:00+00' + id * interval '1 hour 0.25 seconds',
    made = timestamp '2026-01-01 12:00' + id * interval '1 minute',
    labels = case when id % 5 > 0 then array['l' || id % 5, 'all', null] when id % 2 = 0 then '{}' end,
    sizes = array[id, 9007199254740993],
    ratios = case id % 3 when 0 then array[1.5, 'NaN'] when 1 then '{NaN}' else array[0] end, mood = (array['calm', 'cross'])[1 + id % 2]::mood,
    owner = md5((id % 3)::text)::uuid, tag = 't' || id % 2;";

const DECLARED: &str =
    "select vb_configure_source('notes', payload_columns => array['status', 'Prio.rity', 'score', 'ratio',
    'done', 'due', 'seen', 'made', 'labels', 'sizes', 'ratios', 'mood', 'owner', 'tag'])";

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

struct Shop {
    cluster: Cluster,
    client: Client,
    store: Store,
    provider: ProviderDouble,
}

impl Shop {
    fn open(settings: &str, columns: &str) -> Self {
        let provider = ProviderDouble::start(Settings::default());
        let cluster = Cluster::with_settings(&format!("shared_preload_libraries = 'vector_backfill'\n{settings}"));
        let mut client = cluster.create_database("shop");
        services::register(&mut client, "double", &provider, "");
        services::create_notes(&mut client);
        services::add_notes(&mut client, 1, 1, ROWS as i32);
        services::add_notes(&mut client, 2, 1_000, 50);
        client.run(columns);
        let store = Store::of(&cluster, &mut client);
        Self {
            cluster,
            client,
            store,
            provider,
        }
    }

    fn backfill(&mut self, client_id: i64) -> jobs::Progress {
        let job = services::enqueue(&mut self.client, client_id, "double", 50);
        jobs::completed(&mut self.client, job)
    }

    fn found(&mut self, mode: &str, filter: &str) -> Vec<i32> {
        self.client.values(
            "select record_id::int from vb_search(1, 'notes', 'which number has this note', 1000, mode => $1, filter => $2::text::jsonb)
             order by 1",
            &[&mode, &filter],
        )
    }

    fn open_notes(&mut self) -> Vec<i32> {
        self.found("dense", r#"{"status": "open"}"#)
    }

    fn are_open(&mut self) -> Vec<i32> {
        self.client.values(
            "select id from notes where client_id = 1 and status = 'open' order by 1",
            &[],
        )
    }

    fn texts_sent(&self) -> usize {
        let calls = self.provider.calls();
        let texts = calls.iter().flat_map(|call| &call.texts);
        texts.filter(|text| text.contains(" says ")).count()
    }

    fn damage(&mut self) -> (i64, i64) {
        let row = self.client.row("select * from vb_verify(1, 'notes')", &[]);
        let others =
            row.get::<i64>("missing_points") + row.get::<i64>("orphan_points") + row.get::<i64>("missing_records");
        assert_eq!(others, 0);
        services::assert_agreement(&mut self.client, &self.store, 1);
        (row.get("stale_records"), row.get("changed_points"))
    }
}

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
fn columns_that_change_are_followed_without_embedding_anything() {
    let mut shop = Shop::open("", COLUMNS);
    shop.backfill(1);
    let embedded = shop.texts_sent();
    assert_eq!(embedded, ROWS as usize);
    // Declared when everything is embedded already.
    shop.client
        .run("select vb_configure_source('notes', payload_columns => array['status', 'score'])");
    assert_eq!(shop.damage(), (ROWS, 0), "the points do not carry them yet");
    let planned: f64 = shop.client.value(
        "select estimated_tokens::float8 from vb_plan_backfill(1, array['notes'::regclass])",
        &[],
    );
    assert_eq!(planned, 0.0);
    let done = shop.backfill(1);
    assert_eq!((done.total, done.successful, done.tokens), (ROWS, ROWS, 0));
    assert_eq!(shop.open_notes(), shop.are_open());
    assert_eq!(shop.damage(), (0, 0));
    // Some of them change, others change their text as well.
    shop.client
        .run("update notes set status = 'open' where client_id = 1 and id <= 30");
    shop.client
        .run("update notes set status = null, content = content || '!' where client_id = 1 and id > 110");
    let done = shop.backfill(1);
    assert_eq!(done.successful, 23 + 10, "of the first thirty, seven were open already");
    assert_eq!(shop.open_notes(), shop.are_open());
    assert_eq!(shop.texts_sent(), embedded + 10);
    // A second run finds nothing.
    assert_eq!(shop.backfill(1).total, 0);
    // Nothing is declared any more: the points forget the columns.
    shop.client.run("select vb_configure_source('notes')");
    assert_eq!(shop.backfill(1).successful, ROWS);
    shop.client
        .run("select vb_configure_source('notes', payload_columns => array['status'])");
    assert_eq!(shop.open_notes(), [0_i32; 0]);
    assert_eq!(shop.texts_sent(), embedded + 10);
    assert_eq!(shop.damage(), (ROWS, 0));
}

#[test]
fn columns_change_on_every_chunk_and_in_the_collection_that_is_being_built() {
    let mut shop = Shop::open("", COLUMNS);
    shop.client.run(
        "update notes set content = repeat(content || '. ', 20);
         select vb_configure_source('notes', payload_columns => array['status'], chunk_tokens => 64)",
    );
    shop.backfill(1);
    let chunks: i64 = shop.client.value(
        "select min(n) from (select count(*) as n from qdrant_vectors group by record_id) c",
        &[],
    );
    assert!(chunks > 2);
    shop.client
        .run("update notes set status = 'open' where client_id = 1 and id <= 30");
    assert_eq!(shop.backfill(1).tokens, 0);
    assert_eq!(shop.open_notes(), shop.are_open());
    assert_eq!(shop.damage(), (0, 0));
    shop.client
        .run("update notes set status = 'closed' where client_id = 1 and id <= 10");
    let job: i64 = shop.client.value(
        "select vb_enqueue_backfill(1, 'notes', provider => 'double', batch_size => 10, reembed => true)",
        &[],
    );
    jobs::until(&mut shop.client, job, "some records", |now| now.successful > 0);
    shop.client
        .run("update notes set status = 'open' where client_id = 1 and id > 100");
    jobs::completed(&mut shop.client, job);
    assert_eq!(shop.open_notes(), shop.are_open());
    assert_eq!(shop.damage(), (0, 0));
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
fn a_view_of_which_a_row_cannot_be_read_still_gives_the_columns_of_the_others() {
    let mut shop = Shop::open("", COLUMNS);
    shop.client.run(
        "create view shown as select id, client_id, content, 100 / (id - 7) as part, status from notes;
         select vb_configure_source('shown', key_columns => array['id'], payload_columns => array['part', 'status'])",
    );
    let enqueue = "select vb_enqueue_backfill(1, 'shown', provider => 'double')";
    let job = shop.client.value(enqueue, &[]);
    let done = jobs::completed(&mut shop.client, job);
    assert_eq!((done.successful, done.failed), (ROWS - 1, 1));
    shop.client.run("update notes set status = 'rare' where id = 30");
    let job = shop.client.value(enqueue, &[]);
    let done = jobs::completed(&mut shop.client, job);
    assert_eq!((done.successful, done.tokens), (1, 0));
    let found: Vec<String> = shop.client.values(
        "select record_id from vb_search(1, 'shown', 'note', filter => '{\"status\": \"rare\", \"part\": 4}')",
        &[],
    );
    assert_eq!(found, ["30"]);
}

#[test]
fn settings_of_a_session_make_no_difference() {
    let mut shop = Shop::open("", COLUMNS);
    shop.client.run(DECLARED);
    shop.client
        .run("update notes set content = content || ' at ' || seen; update notes set ratio = id / 7.0");
    shop.client.run(
        "select vb_configure_source('notes', template => '{content} {due} {seen}',
             payload_columns => array['seen', 'ratio', 'due', 'made'])",
    );
    shop.backfill(1);
    shop.client.run(
        "set datestyle = 'SQL, DMY'; set timezone = 'Asia/Tokyo'; set extra_float_digits = 0; set intervalstyle = 'iso_8601'",
    );
    let row = shop.client.row("select * from vb_verify(1, 'notes')", &[]);
    assert_eq!(
        (row.get::<i64>("stale_records"), row.get::<i64>("changed_points")),
        (0, 0)
    );
    let planned: f64 = shop.client.value(
        "select estimated_tokens::float8 from vb_plan_backfill(1, array['notes'::regclass])",
        &[],
    );
    assert_eq!(planned, 0.0);
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
fn a_store_that_has_earlier_columns_is_found_out_and_mended_without_embedding_anything() {
    let mut shop = Shop::open("", COLUMNS);
    shop.client.run(DECLARED);
    shop.backfill(1);
    let collection: String = shop
        .client
        .value("select name from vb_collections where client_id = 1", &[]);
    let dimensions = shop.provider.dimensions();
    shop.store.copy(&collection, "backup", dimensions);
    shop.client
        .run("update notes set status = 'open' where client_id = 1 and id <= 30");
    shop.backfill(1);
    let embedded = shop.texts_sent();
    shop.store.remove(&collection);
    shop.store.copy("backup", &collection, dimensions);
    shop.store.remove("backup");
    assert_ne!(shop.open_notes(), shop.are_open());
    assert_eq!(shop.damage(), (0, 23));
    let row = shop
        .client
        .row("select * from vb_verify(1, 'notes', repair => true)", &[]);
    assert_eq!(row.get::<i64>("repaired"), 23);
    // Known already: it is not counted twice.
    let job = row.get::<Option<i64>>("job_id").expect("a job sets them again");
    jobs::completed(&mut shop.client, job);
    assert_eq!(shop.damage(), (0, 0));
    assert_eq!(shop.open_notes(), shop.are_open());
    assert_eq!(shop.texts_sent(), embedded);
}

#[test]
fn a_worker_that_dies_while_columns_change_loses_no_change() {
    let mut shop = Shop::open("", COLUMNS);
    shop.client.run(DECLARED);
    shop.backfill(1);
    for round in 0..3 {
        shop.client.rows(
            "update notes set status = (array['open', 'closed'])[1 + (id + $1::int) % 2]",
            &[&round],
        );
        let job = services::enqueue(&mut shop.client, 1, "double", 10);
        let pid: i32 = shop.client.value("select pid from vb_worker_status", &[]);
        shop.cluster.kill(pid);
        vb_tests::wait::until("the end of this session", || shop.client.try_run("select 1").err());
        shop.client = shop.cluster.connect("shop");
        jobs::completed(&mut shop.client, job);
        assert_eq!(shop.open_notes(), shop.are_open());
        assert_eq!(shop.damage(), (0, 0));
    }
    assert_eq!(shop.texts_sent(), ROWS as usize);
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
