//! Clients that share a collection are as far apart as those that do not; and removing one leaves nothing of it.

use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::store::Store;
use vb_tests::{jobs, services, wait};

/// A database in which clients 1 to 4 have notes.
struct Shop {
    cluster: Cluster,
    client: Client,
    store: Store,
    /// Held: it ends with the test.
    _provider: ProviderDouble,
}

impl Shop {
    fn open(tenancy: &str) -> Self {
        let provider = ProviderDouble::start(Settings::default());
        let cluster = Cluster::with_settings(&format!(
            "shared_preload_libraries = 'vector_backfill'
             vector_backfill.tenancy = '{tenancy}'
             vector_backfill.request_timeout = '3s'"
        ));
        let mut client = cluster.create_database("shop");
        services::register(&mut client, "double", &provider, "");
        services::create_notes(&mut client);
        let store = Store::of(&cluster, &mut client);
        let mut shop = Self {
            cluster,
            client,
            store,
            _provider: provider,
        };
        for client_id in 1..=4 {
            services::add_notes(&mut shop.client, client_id, client_id as i32 * 1_000, 25);
            let job = services::enqueue(&mut shop.client, client_id, "double", 10);
            assert_eq!(jobs::completed(&mut shop.client, job).successful, 25);
        }
        shop
    }

    fn names(&mut self) -> Vec<String> {
        self.client.values(
            "select distinct name from vb_collections where stage = 'serving' order by 1",
            &[],
        )
    }

    fn assert_agreement(&mut self, client_id: i64, points: i64) {
        let row = self
            .client
            .row("select * from vb_verify($1::bigint, 'notes')", &[&client_id]);
        assert_eq!(row.get::<i64>("checked"), points, "client {client_id}");
        for column in [
            "missing_points",
            "orphan_points",
            "changed_points",
            "stale_records",
            "missing_records",
        ] {
            assert_eq!(row.get::<i64>(column), 0, "client {client_id}: {column}");
        }
    }

    /// Clients whose notes a search of a client finds.
    fn found_by(&mut self, client_id: i64, mode: &str) -> Vec<i64> {
        self.client.values(
            &format!(
                "select distinct n.client_id from vb_search($1::bigint, 'notes', 'note number 2007 says', 200, mode => '{mode}') s
                 join notes n on n.id::text = s.record_id"
            ),
            &[&client_id],
        )
    }
}

#[test]
fn clients_share_a_collection_and_see_only_their_own() {
    let mut shop = Shop::open("payload");
    let names = shop.names();
    assert_eq!(names.len(), 1, "{names:?}");
    assert!(names[0].starts_with("shared_notes_content_"), "{names:?}");
    assert_eq!(shop.store.count(&names[0]), 100);
    for client_id in 1..=4 {
        shop.assert_agreement(client_id, 25);
        for mode in ["dense", "keyword", "hybrid"] {
            assert_eq!(shop.found_by(client_id, mode), [client_id], "{mode}");
        }
    }
    // One client's changes are nobody else's.
    shop.client
        .run("update notes set content = content || '!' where client_id = 2");
    shop.client.run("delete from notes where client_id = 2 and id % 2 = 0");
    let job = services::enqueue(&mut shop.client, 2, "double", 10);
    jobs::completed(&mut shop.client, job);
    for (client_id, points) in [(1, 25), (2, 12), (3, 25), (4, 25)] {
        shop.assert_agreement(client_id, points);
    }
    assert_eq!(shop.store.count(&names[0]), 87);
}

#[test]
fn a_client_that_is_embedded_again_gets_another_share_and_leaves_the_first() {
    let mut shop = Shop::open("payload");
    let shared = shop.names().remove(0);
    shop.client
        .run("alter system set vector_backfill.tenancy = 'collection'");
    shop.client.reload();
    for (tenancy, collections) in [("collection", 2), ("payload", 1)] {
        shop.client
            .run(&format!("alter system set vector_backfill.tenancy = '{tenancy}'"));
        shop.client.reload();
        let job: i64 = shop.client.value(
            "select vb_enqueue_backfill(3, 'notes', provider => 'double', reembed => true)",
            &[],
        );
        jobs::completed(&mut shop.client, job);
        assert_eq!(shop.names().len(), collections, "{tenancy}");
        wait::until("the end of what was replaced", || {
            let left: i64 = shop.client.value(
                "select (select count(*) from vb_collection_removals)
                      + (select count(*) from vb_collections where stage <> 'serving')",
                &[],
            );
            (left == 0).then_some(())
        });
        for client_id in 1..=4 {
            shop.assert_agreement(client_id, 25);
        }
    }
    assert_eq!(shop.names(), [shared]);
}

#[test]
fn after_a_purge_neither_database_nor_store_has_anything_of_the_client() {
    for tenancy in ["collection", "payload"] {
        let mut shop = Shop::open(tenancy);
        shop.client
            .run("select vb_set_client_limits(2, max_tokens_per_day => 1000000)");
        let collections: Vec<String> = shop.client.values("select distinct name from vb_collections", &[]);
        let points = |shop: &Shop| collections.iter().map(|name| shop.store.count(name)).sum::<usize>();
        assert_eq!(points(&shop), 100);
        // One of its jobs is paused, and another one has just been enqueued.
        services::add_notes(&mut shop.client, 2, 50_000, 500);
        shop.client.run("begin");
        let paused = services::enqueue(&mut shop.client, 2, "double", 10);
        shop.client.run(&format!("select vb_pause({paused}); commit"));
        let row = shop.client.row("select * from vb_purge_client(2)", &[]);
        assert_eq!(row.get::<i64>("points"), 25, "{tenancy}");
        assert_eq!((row.get::<i64>("references"), row.get::<i64>("jobs")), (25, 2));
        assert_eq!(points(&shop), 75, "{tenancy}");
        let tables: Vec<String> = shop.client.values(
            "select c.relname::text from pg_class c join pg_attribute a on a.attrelid = c.oid
             join pg_depend d on d.objid = c.oid and d.deptype = 'e'
             -- Who did what stays, the purge itself as well.
             where a.attname = 'client_id' and c.relkind = 'r' and d.classid = 'pg_class'::regclass
               and c.relname <> 'vb_audit_events'",
            &[],
        );
        assert!(tables.len() >= 6, "{tables:?}");
        for table in tables {
            let left: i64 = shop
                .client
                .value(&format!("select count(*) from {table} where client_id = 2"), &[]);
            assert_eq!(left, 0, "{table}");
        }
        for client_id in [1, 3, 4] {
            shop.assert_agreement(client_id, 25);
        }
        // It may come again.
        let job = services::enqueue(&mut shop.client, 2, "double", 100);
        assert_eq!(jobs::completed(&mut shop.client, job).successful, 525);
        shop.assert_agreement(2, 525);
        for client_id in [1_i64, 2, 3, 4] {
            shop.client
                .row("select * from vb_purge_client($1::bigint)", &[&client_id]);
        }
        assert_eq!(points(&shop), 0);
        let again = shop.client.row("select * from vb_purge_client(1)", &[]);
        assert_eq!((again.get::<i64>("points"), again.get::<i64>("jobs")), (0, 0));
    }
}

#[test]
fn a_client_is_purged_in_the_middle_of_a_job() {
    let mut shop = Shop::open("payload");
    services::add_notes(&mut shop.client, 2, 50_000, 3_000);
    let job = services::enqueue(&mut shop.client, 2, "double", 10);
    jobs::until(&mut shop.client, job, "some", |now| now.successful >= 100);
    let mut other = shop.cluster.connect("shop");
    let row = other.row("select * from vb_purge_client(2)", &[]);
    assert!(row.get::<i64>("points") >= 125);
    assert_eq!(row.get::<i64>("points"), row.get::<i64>("references"));
    let name = shop.names().remove(0);
    assert_eq!(shop.store.count(&name), 75);
    let job = services::enqueue(&mut shop.client, 1, "double", 10);
    jobs::completed(&mut shop.client, job);
    assert_eq!(shop.store.count(&name), 75);
}
