//! Moving to a Qdrant server and back: vectors and all, nothing is embedded, searches go on.

use std::time::Duration;

use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings as ProviderSettings;
use vb_qdrant_double::faults::{Fault, Rule};
use vb_qdrant_double::method::Method;
use vb_tests::client::Client;
use vb_tests::cluster::{Cluster, Stop};
use vb_tests::qdrant::Qdrant;
use vb_tests::{jobs, services, wait};

const ROWS: i64 = 2_500;

/// A database with three clients whose vectors are embedded, and a server beside it.
struct Shop {
    cluster: Cluster,
    client: Client,
    provider: ProviderDouble,
}

impl Shop {
    fn open(tenancy: &str) -> Self {
        let provider = ProviderDouble::start(ProviderSettings::default());
        let settings = format!(
            "shared_preload_libraries = 'vector_backfill'
             vector_backfill.store = 'embedded'
             vector_backfill.tenancy = '{tenancy}'
             vector_backfill.request_timeout = '3s'"
        );
        let cluster = Cluster::with_store(Some(Qdrant::double()), &settings);
        let mut client = cluster.create_database("shop");
        services::register(&mut client, "double", &provider, "");
        services::create_notes(&mut client);
        client.run("select vb_configure_source('notes', payload_columns => array['id'])");
        services::add_notes(&mut client, 1, 1, ROWS as i32);
        services::add_notes(&mut client, 2, 10_000, 40);
        services::add_notes(&mut client, 3, 20_000, 30);
        let mut shop = Self {
            cluster,
            client,
            provider,
        };
        for client_id in [1, 2, 3] {
            let job = services::enqueue(&mut shop.client, client_id, "double", 500);
            jobs::completed(&mut shop.client, job);
        }
        shop
    }

    fn move_to(&mut self, target: &str) -> (i64, i64) {
        let row = self.client.row("select * from vb_move_store($1)", &[&target]);
        (row.get("collections"), row.get("points"))
    }

    fn stores(&mut self) -> Vec<String> {
        self.client.values(
            "select distinct store from vb_collections where stage = 'serving' order by 1",
            &[],
        )
    }

    fn nearest(&mut self, mode: &str) -> Vec<String> {
        self.client.values(
            &format!(
                "select record_id from vb_search(1, 'notes', 'note number 7 says ' || md5('7'), 1, mode => '{mode}')"
            ),
            &[],
        )
    }

    /// Everything is where it should be, and nothing anywhere else.
    fn assert_all_is_well(&mut self, store: &str) {
        assert_eq!(self.stores(), [store]);
        for client_id in [1, 2, 3] {
            let row = self
                .client
                .row("select * from vb_verify($1::bigint, 'notes')", &[&i64::from(client_id)]);
            let findings: i64 = ["missing_points", "orphan_points", "changed_points", "stale_records"]
                .iter()
                .map(|column| row.get::<i64>(column))
                .sum();
            assert_eq!(findings, 0, "client {client_id}");
        }
        for mode in ["dense", "keyword", "hybrid"] {
            assert_eq!(self.nearest(mode), ["7"], "{mode}");
        }
        let filtered =
            "select record_id from vb_search(1, 'notes', 'note', 9, filter => '{\"id\": {\"lt\": 3}}') order by 1";
        assert_eq!(self.client.values::<String>(filtered, &[]), ["1", "2"]);
        wait::until("the end of what is left behind", || {
            let left: i64 = self.client.value("select count(*) from vb_collection_removals", &[]);
            (left == 0).then_some(())
        });
    }
}

#[test]
fn there_and_back_again_nothing_is_embedded_and_nothing_is_left_behind() {
    for tenancy in ["collection", "payload"] {
        let mut shop = Shop::open(tenancy);
        let before: Vec<String> = shop
            .client
            .values("select v::text from qdrant_vectors v order by 1", &[]);
        shop.provider.forget();
        assert_eq!(shop.move_to("qdrant"), (3, ROWS + 70));
        assert_eq!(shop.provider.count(), 0);
        // What is left behind is of the same name: it must not be taken for what is moved back.
        let early = shop.client.error("select * from vb_move_store('embedded')", &[]);
        assert!(
            early.message.contains("still being removed from store embedded"),
            "{early:?}"
        );
        shop.assert_all_is_well("qdrant");
        assert_eq!(shop.move_to("qdrant"), (0, 0));
        assert_eq!(shop.move_to("embedded"), (3, ROWS + 70));
        shop.assert_all_is_well("embedded");
        assert!(shop.cluster.qdrant().commanded().collections().is_empty());
        let after: Vec<String> = shop
            .client
            .values("select v::text from qdrant_vectors v order by 1", &[]);
        assert_eq!(before, after);
        // And jobs go on where the vectors are.
        services::add_notes(&mut shop.client, 1, 30_000, 10);
        let job = services::enqueue(&mut shop.client, 1, "double", 500);
        assert_eq!(jobs::completed(&mut shop.client, job).successful, 10);
    }
}

#[test]
fn a_move_that_was_interrupted_copies_only_the_rest() {
    let mut shop = Shop::open("collection");
    // The server goes away after the first page.
    let qdrant = shop.cluster.qdrant().commanded();
    qdrant.fault(Rule::new(Fault::CutBeforeApply).on(Method::Upsert).after(9));
    let refused = shop.client.error("select * from vb_move_store('qdrant')", &[]);
    assert!(refused.message.contains("Qdrant at"), "{refused:?}");
    assert_eq!(shop.stores(), ["embedded"]);
    assert_eq!(shop.nearest("dense"), ["7"]);
    shop.cluster.qdrant().commanded().clear_faults();
    shop.cluster.restart(Stop::Immediate);
    shop.client = shop.cluster.connect("shop");
    let (collections, points) = shop.move_to("qdrant");
    assert_eq!(collections, 3);
    assert!(points <= 570, "{points} points were copied once more");
    shop.assert_all_is_well("qdrant");
}

#[test]
fn rows_that_change_while_a_move_goes_on_are_as_they_are_afterwards() {
    let mut shop = Shop::open("collection");
    let qdrant = shop.cluster.qdrant().commanded();
    qdrant.fault(Rule::new(Fault::Slow(Duration::from_millis(200))).on(Method::Upsert));
    let mut mover = shop.cluster.connect("shop");
    let moving = std::thread::spawn(move || mover.run("select * from vb_move_store('qdrant')"));
    for round in 0..5 {
        shop.client.run(&format!(
            "update notes set content = content || ' {round}' where client_id = 1 and id % 50 = {round}"
        ));
        shop.client.run(&format!("delete from notes where id = 2000 + {round}"));
        let job = services::enqueue(&mut shop.client, 1, "double", 20);
        jobs::completed(&mut shop.client, job);
        assert_eq!(shop.nearest("dense"), ["7"]);
    }
    moving.join().expect("the move succeeds");
    qdrant_is_quick_again(&shop);
    let job = services::enqueue(&mut shop.client, 1, "double", 500);
    jobs::completed(&mut shop.client, job);
    shop.assert_all_is_well("qdrant");
}

fn qdrant_is_quick_again(shop: &Shop) {
    shop.cluster.qdrant().commanded().clear_faults();
}

#[test]
fn a_store_that_has_lost_something_does_not_take_the_place_of_anything() {
    let mut shop = Shop::open("collection");
    assert_eq!(shop.move_to("qdrant").0, 3);
    shop.assert_all_is_well("qdrant");
    shop.cluster.qdrant().commanded().wipe();
    let refused = shop.client.error("select * from vb_move_store('embedded')", &[]);
    assert!(refused.message.contains("has 0 points of client 1"), "{refused:?}");
    assert!(refused.hint.is_some_and(|hint| hint.contains("vb_verify")));
    assert_eq!(shop.stores(), ["qdrant"]);
}

#[test]
fn only_one_session_moves_at_a_time() {
    let mut shop = Shop::open("collection");
    shop.client.run("begin");
    assert_eq!(shop.move_to("qdrant").0, 3);
    let mut other = shop.cluster.connect("shop");
    let refused = other.error("select * from vb_move_store('qdrant')", &[]);
    assert!(refused.message.contains("another session"), "{refused:?}");
    shop.client.run("rollback");
    assert_eq!(shop.stores(), ["embedded"]);
    // A client that goes now takes with it what the move had copied.
    shop.client.run("select * from vb_purge_client(2)");
    assert_eq!(shop.cluster.qdrant().commanded().collections().len(), 2);
}

#[test]
fn a_store_that_is_none_or_is_not_set_up_is_refused() {
    let mut shop = Shop::open("collection");
    let error = shop.client.error("select * from vb_move_store('pinecone')", &[]);
    assert_eq!(error.code, "22023");
    assert!(error.message.contains("embedded and qdrant"), "{error:?}");
    assert_eq!(
        shop.client.error("select * from vb_move_store(null)", &[]).code,
        "22004"
    );
    shop.client.run("alter system set vector_backfill.qdrant_url = ''");
    shop.client.reload();
    wait::until("the setting", || {
        let error = shop.client.error("select * from vb_move_store('qdrant')", &[]);
        error
            .message
            .contains("vector_backfill.qdrant_url is not set")
            .then_some(())
    });
    assert_eq!(shop.stores(), ["embedded"]);
}
