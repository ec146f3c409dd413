//! Damage to any side is found and named, and repair leaves none of it.

use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::row::Row;
use vb_tests::store::Store;
use vb_tests::{jobs, services, wait};

const ROWS: i64 = 200;

/// A database in which everything agrees.
struct Shop {
    /// Held: it ends with the test.
    _cluster: Cluster,
    client: Client,
    store: Store,
    provider: ProviderDouble,
}

/// What `vb_verify` found.
#[derive(Debug, PartialEq, Eq, Default)]
struct Found {
    missing_points: i64,
    orphan_points: i64,
    stale_records: i64,
    missing_records: i64,
    changed_points: i64,
    orphan_references: i64,
}

impl Found {
    fn read(row: &Row) -> Self {
        Self {
            missing_points: row.get("missing_points"),
            orphan_points: row.get("orphan_points"),
            stale_records: row.get("stale_records"),
            missing_records: row.get("missing_records"),
            changed_points: row.get("changed_points"),
            orphan_references: row.get("orphan_references"),
        }
    }

    fn sum(&self) -> i64 {
        self.missing_points
            + self.orphan_points
            + self.stale_records
            + self.missing_records
            + self.changed_points
            + self.orphan_references
    }
}

impl Shop {
    fn open() -> Self {
        let provider = ProviderDouble::start(Settings::default());
        let cluster = Cluster::start();
        let mut client = cluster.create_database("shop");
        services::register(&mut client, "double", &provider, "");
        services::create_notes(&mut client);
        services::add_notes(&mut client, 1, 1, ROWS as i32);
        services::add_notes(&mut client, 2, 1_000, 30);
        let store = Store::of(&cluster, &mut client);
        let mut shop = Self {
            _cluster: cluster,
            client,
            store,
            provider,
        };
        for client_id in [1, 2] {
            let job = services::enqueue(&mut shop.client, client_id, "double", 50);
            jobs::completed(&mut shop.client, job);
        }
        shop
    }

    fn collection(&mut self, client_id: i64) -> String {
        let serving = "select name from vb_collections where client_id = $1::bigint and stage = 'serving'";
        self.client.value(serving, &[&client_id])
    }

    /// Points of some records.
    fn points(&mut self, condition: &str) -> Vec<uuid::Uuid> {
        let points = format!("select point_id from qdrant_vectors where client_id = 1 and {condition}");
        self.client.values(&points, &[])
    }

    fn verify(&mut self) -> Found {
        let row = self.client.row("select * from vb_verify(1, 'notes')", &[]);
        assert_eq!(row.get::<i64>("repaired"), 0);
        Found::read(&row)
    }

    /// Expects this damage, repairs it, and expects none; gives the texts that were embedded for it.
    fn expect_and_repair(&mut self, damage: &Found) -> usize {
        assert_eq!(self.verify(), *damage);
        self.provider.forget();
        let row = self
            .client
            .row("select * from vb_verify(1, 'notes', repair => true)", &[]);
        assert_eq!(Found::read(&row), *damage);
        assert_eq!(row.get::<i64>("repaired"), damage.sum());
        if let Some(job) = row.get::<Option<i64>>("job_id") {
            jobs::completed(&mut self.client, job);
        }
        assert_eq!(self.verify(), Found::default());
        services::assert_agreement(&mut self.client, &self.store, 1);
        services::assert_agreement(&mut self.client, &self.store, 2);
        self.provider.calls().iter().map(|call| call.texts.len()).sum()
    }
}

#[test]
fn where_everything_agrees_nothing_is_found_and_nothing_is_done() {
    let mut shop = Shop::open();
    let row = shop
        .client
        .row("select * from vb_verify(1, 'notes', repair => true)", &[]);
    assert_eq!((row.get::<i64>("checked"), row.get::<i64>("repaired")), (ROWS, 0));
    assert_eq!(Found::read(&row), Found::default());
    assert_eq!(row.get::<Option<i64>>("job_id"), None);
}

#[test]
fn damage_to_rows_is_found_and_mended() {
    let mut shop = Shop::open();
    shop.client
        .run("update notes set content = content || '!' where client_id = 1 and id <= 7");
    shop.client
        .run("delete from notes where client_id = 1 and id between 8 and 12");
    services::add_notes(&mut shop.client, 1, 5_000, 3);
    let damage = Found {
        stale_records: 7,
        orphan_references: 5,
        missing_records: 3,
        ..Found::default()
    };
    assert_eq!(shop.expect_and_repair(&damage), 10);
}

#[test]
fn damage_to_references_is_found_and_mended() {
    let mut shop = Shop::open();
    shop.client
        .run("delete from qdrant_vectors where client_id = 1 and record_id::int <= 4");
    shop.client
        .run("update qdrant_vectors set content_hash = sha256('other') where client_id = 1 and record_id::int between 5 and 6");
    let damage = Found {
        orphan_points: 4,
        missing_records: 4,
        // Neither the row nor the point is of such a text.
        stale_records: 2,
        changed_points: 2,
        ..Found::default()
    };
    assert_eq!(shop.expect_and_repair(&damage), 6);
}

#[test]
fn points_that_the_store_lost_are_made_again_and_no_others() {
    let mut shop = Shop::open();
    let lost = shop.points("record_id::int <= 9");
    let collection = shop.collection(1);
    shop.store.delete(&collection, &lost);
    let damage = Found {
        missing_points: 9,
        ..Found::default()
    };
    assert_eq!(shop.expect_and_repair(&damage), 9);
}

#[test]
fn a_collection_that_is_gone_is_made_again() {
    let mut shop = Shop::open();
    let collection = shop.collection(1);
    shop.store.remove(&collection);
    let damage = Found {
        missing_points: ROWS,
        ..Found::default()
    };
    assert_eq!(shop.expect_and_repair(&damage), ROWS as usize);
}

#[test]
fn a_store_restored_to_an_earlier_moment_is_brought_up_to_date() {
    let mut shop = Shop::open();
    let collection = shop.collection(1);
    shop.store.copy(&collection, "backup", shop.provider.dimensions());
    shop.client
        .run("update notes set content = content || '!' where client_id = 1 and id <= 7");
    shop.client
        .run("delete from notes where client_id = 1 and id between 8 and 12");
    services::add_notes(&mut shop.client, 1, 5_000, 3);
    let job = services::enqueue(&mut shop.client, 1, "double", 50);
    jobs::completed(&mut shop.client, job);
    assert_eq!(shop.verify(), Found::default());
    shop.store.remove(&collection);
    shop.store.copy("backup", &collection, shop.provider.dimensions());
    shop.store.remove("backup");
    let damage = Found {
        changed_points: 7,
        orphan_points: 5,
        missing_points: 3,
        ..Found::default()
    };
    assert_eq!(shop.expect_and_repair(&damage), 10);
}

#[test]
fn a_database_restored_to_an_earlier_moment_finds_what_the_store_has_more() {
    let mut shop = Shop::open();
    shop.client.run("create table earlier as select * from qdrant_vectors");
    shop.client.run("create table earlier_notes as select * from notes");
    shop.client
        .run("update notes set content = content || '!' where client_id = 1 and id <= 7");
    services::add_notes(&mut shop.client, 1, 5_000, 3);
    let job = services::enqueue(&mut shop.client, 1, "double", 50);
    jobs::completed(&mut shop.client, job);
    // References and rows are older than the points then.
    shop.client
        .run("begin; delete from qdrant_vectors; insert into qdrant_vectors select * from earlier");
    shop.client
        .run("delete from notes; insert into notes select * from earlier_notes; commit");
    let damage = Found {
        changed_points: 7,
        orphan_points: 3,
        ..Found::default()
    };
    assert_eq!(shop.expect_and_repair(&damage), 7);
}

#[test]
fn points_of_another_client_are_removed_and_its_own_made_again() {
    let mut shop = Shop::open();
    let (own, other) = (shop.collection(1), shop.collection(2));
    // Somebody has brought back the backup of the wrong collection.
    shop.store.copy(&other, &own, shop.provider.dimensions());
    let damage = Found {
        orphan_points: 30,
        missing_points: ROWS,
        ..Found::default()
    };
    assert_eq!(shop.expect_and_repair(&damage), ROWS as usize);
}

#[test]
fn records_that_were_set_aside_lack_nothing() {
    let mut shop = Shop::open();
    shop.client
        .run("insert into notes values (9000, 1, repeat('too long ', 2000))");
    let provider = ProviderDouble::start(Settings {
        max_text_bytes: 1_000,
        ..Settings::default()
    });
    services::register(&mut shop.client, "strict", &provider, "");
    let job = services::enqueue(&mut shop.client, 1, "strict", 50);
    assert_eq!(jobs::completed(&mut shop.client, job).failed, 1);
    assert_eq!(shop.verify(), Found::default());
    shop.client.run("update notes set content = 'short' where id = 9000");
    assert_eq!(shop.verify().missing_records, 1);
}

#[test]
fn nothing_is_written_for_a_client_while_it_is_verified_and_everything_afterwards() {
    let mut shop = Shop::open();
    services::add_notes(&mut shop.client, 1, 5_000, 20);
    services::add_notes(&mut shop.client, 2, 6_000, 20);
    shop.client.run("begin");
    assert_eq!(shop.verify().missing_records, 20);
    let mut other = shop._cluster.connect("shop");
    let held = services::enqueue(&mut other, 1, "double", 5);
    let free = services::enqueue(&mut other, 2, "double", 5);
    jobs::completed(&mut other, free);
    assert_eq!(jobs::progress(&mut other, held).successful, 0);
    shop.client.run("commit");
    assert_eq!(jobs::completed(&mut other, held).successful, 20);
    // Beside a job that is at work every moment is a true one.
    services::add_notes(&mut shop.client, 1, 10_000, 300);
    let job = services::enqueue(&mut other, 1, "double", 10);
    wait::until("the end of the job", || {
        let found = shop.verify();
        let done = jobs::progress(&mut other, job).state == "completed";
        assert_eq!(
            (found.orphan_points, found.missing_points, found.changed_points),
            (0, 0, 0)
        );
        done.then_some(())
    });
    assert_eq!(shop.verify(), Found::default());
}

#[test]
fn what_cannot_be_verified_is_refused_with_the_reason() {
    let mut shop = Shop::open();
    assert_eq!(
        shop.client.error("select * from vb_verify(null, 'notes')", &[]).code,
        "22004"
    );
    assert_eq!(
        shop.client.error("select * from vb_verify(1, 'nothing')", &[]).code,
        "42P01"
    );
    shop.client.run("create table bare (id int primary key)");
    assert_eq!(
        shop.client.error("select * from vb_verify(1, 'bare')", &[]).code,
        "42703"
    );
    shop.client
        .run("create role visitor; select vb_grant_access('visitor', 1, 'write')");
    shop.client.run("set role visitor");
    assert_eq!(
        shop.client.error("select * from vb_verify(1, 'notes')", &[]).code,
        "42501"
    );
    shop.client.run("reset role");
    // A client without anything.
    let row = shop
        .client
        .row("select * from vb_verify(77, 'notes', repair => true)", &[]);
    assert_eq!(Found::read(&row), Found::default());
}
