//! Vectors follow their rows.

use vb_tests::{services, sync};

use crate::sync_shop::{ROWS, Shop};

#[test]
fn inserts_updates_and_deletes_are_followed_by_vectors() {
    let mut shop = Shop::open_in_step("");
    let sent = shop.texts_for("insert into notes values (500, 1, 'a new note says hello')");
    assert_eq!(sent, 1);
    let sent = shop.texts_for("update notes set content = content || ' again' where id between 1 and 7");
    assert_eq!(sent, 7);
    let sent = shop.texts_for("delete from notes where id between 1 and 9");
    assert_eq!(sent, 0);
    let left: i64 = shop
        .client
        .value("select count(*) from qdrant_vectors where client_id = 1", &[]);
    assert_eq!(left, i64::from(ROWS) - 9 + 1);
    let sent =
        shop.texts_for("update notes set client_id = 2, content = content || ' moved' where id between 10 and 12");
    assert_eq!(sent, 3);
    let sent = shop.texts_for("update notes set id = id + 5000 where id between 20 and 22");
    assert_eq!(sent, 3);
    shop.texts_for("truncate notes");
    let left: i64 = shop.client.value("select count(*) from qdrant_vectors", &[]);
    assert_eq!(left, 0);
}

#[test]
fn a_column_that_is_not_embedded_causes_no_call_at_all() {
    let mut shop = Shop::open("");
    shop.client
        .run("alter table notes add hits int default 0, add seen timestamptz");
    sync::enable(&mut shop.client, "notes");
    let (calls, applied) = (shop.provider.calls().len(), applied(&mut shop));
    shop.after("update notes set hits = hits + 1, seen = now()");
    shop.after("update notes set content = content");
    assert_eq!(shop.provider.calls().len(), calls);
    assert_eq!(applied, self::applied(&mut shop), "nobody had to look at a row");
}

#[test]
fn a_backfill_and_changes_together_miss_nothing() {
    let mut shop = Shop::open("");
    services::add_notes(&mut shop.client, 1, 10_000, 3_000);
    let job = services::enqueue(&mut shop.client, 1, "double", 20);
    vb_tests::jobs::until(&mut shop.client, job, "some records", |now| now.successful > 0);
    shop.client.run("select vb_enable_sync('notes')");
    for round in 0..20 {
        shop.client.run(&format!(
            "update notes set content = 'round {round} says ' || id where id % 20 = {round};
             delete from notes where id = 10{:03};
             insert into notes values (20000 + {round}, 1, 'late {round} says hello')",
            round * 7
        ));
    }
    vb_tests::jobs::completed(&mut shop.client, job);
    sync::settled(&mut shop.client);
    shop.agrees();
}

#[test]
fn rolled_back_changes_leave_everything_as_it_is() {
    let mut shop = Shop::open_in_step("max_prepared_transactions = 5");
    let before = shop.texts_sent();
    shop.after("begin; update notes set content = 'never says so' where id < 10; rollback");
    shop.after(
        "begin; savepoint s; update notes set content = 'never says so' where id < 10; rollback to s;
         update notes set content = content || ' says it' where id = 11; commit",
    );
    assert_eq!(shop.texts_sent() - before, 1);
    shop.client
        .run("begin; update notes set content = content || ' prepared' where id = 12; prepare transaction 'later'");
    shop.after("update notes set content = content || ' other' where id = 13");
    assert_eq!(shop.texts_sent() - before, 2);
    shop.after("commit prepared 'later'");
    assert_eq!(shop.texts_sent() - before, 3);
    shop.client
        .run("begin; delete from notes where id = 14; prepare transaction 'never'");
    shop.after("rollback prepared 'never'");
}

#[test]
fn a_bulk_statement_leaves_a_mark_for_each_client_instead_of_keys() {
    let mut shop = Shop::open_in_step("");
    shop.client.run("begin");
    shop.client.run(
        "insert into notes select n, 1 + n % 2, 'bulk ' || n || ' says ' || n from generate_series(10000, 30000) n",
    );
    shop.client
        .run("insert into notes values (40000, 3, 'one says little')");
    shop.client.run("commit");
    // Whether the worker has taken them over already or not.
    let keys: i64 = shop.client.value(
        "select (select count(record_id) from vb_changes) + (select count(record_id) from vb_pending_changes)",
        &[],
    );
    assert!(keys <= 1, "{keys} keys");
    sync::settled(&mut shop.client);
    shop.agrees();
}

#[test]
fn coverage_says_how_much_has_vectors_and_how_fresh_they_are() {
    let mut shop = Shop::open_in_step("");
    services::add_notes(&mut shop.client, 3, 5_000, 10);
    let coverage = |shop: &mut Shop, client_id: i64| {
        let row = shop.client.row(
            "select records, embedded, stale, failed, pending, percent::float8 as percent, in_step, latency_p95 is not null as measured
             from vb_coverage where client_id = $1::bigint and source = 'notes'::regclass",
            &[&client_id],
        );
        let numbers = ["records", "embedded", "stale", "failed", "pending"].map(|name| row.get::<i64>(name));
        (
            numbers,
            row.get::<f64>("percent"),
            row.get::<bool>("in_step"),
            row.get::<bool>("measured"),
        )
    };
    sync::settled(&mut shop.client);
    let all = i64::from(ROWS);
    assert_eq!(coverage(&mut shop, 1).0, [all, all, 0, 0, 0]);
    shop.after("delete from notes where id <= 10; insert into notes values (901, 1, 'more says more'), (902, 1, '')");
    vb_tests::wait::until("the latencies to be written", || coverage(&mut shop, 1).3.then_some(()));
    assert_eq!(coverage(&mut shop, 1), ([all - 9, all - 9, 0, 0, 0], 100.0, true, true));
    shop.client.run("alter system set vector_backfill.paused = on");
    shop.client.reload();
    let taken = "select count(*) from vb_pending_changes";
    assert_eq!(shop.client.value::<i64>(taken, &[]), 0);
    shop.client.run("select vb_disable_sync('notes')");
    assert!(!coverage(&mut shop, 1).2);
}

#[test]
fn disabling_leaves_no_trace() {
    let mut shop = Shop::open_in_step("");
    assert!(shop.client.value::<bool>("select vb_disable_sync('notes')", &[]));
    assert!(!shop.client.value::<bool>("select vb_disable_sync('notes')", &[]));
    let sent = shop.texts_sent();
    shop.client.run("update notes set content = 'unseen says the row'");
    let traces: i64 = shop.client.value(
        "select (select count(*) from pg_trigger where tgrelid = 'notes'::regclass)
              + (select count(*) from vb_changes) + (select count(*) from vb_pending_changes) + (select count(*) from vb_syncs)
              + (select count(*) from vb_jobs where kind = 'sync' and state in ('queued', 'running', 'paused'))",
        &[],
    );
    assert_eq!((traces, shop.texts_sent()), (0, sent));
    sync::enable(&mut shop.client, "notes");
    shop.agrees();
}

fn applied(shop: &mut Shop) -> i64 {
    shop.client.value("select applied from vb_sync_status()", &[])
}
