//! Columns that searches filter by say what the rows say now, which costs no embedding.

use vb_tests::{jobs, services};

use crate::payload_shop::{COLUMNS, DECLARED, ROWS, Shop};

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
