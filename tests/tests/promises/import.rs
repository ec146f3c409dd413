//! Vectors that rows have already are taken over: nobody pays for them twice.

use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::store::Store;
use vb_tests::{jobs, services};

const DIMENSIONS: usize = 8;

/// Notes of client 1, numbers 1 to 50, each with a vector of its own in three columns.
struct Shop {
    /// Held: it ends with the test.
    _cluster: Cluster,
    client: Client,
    store: Store,
    provider: ProviderDouble,
}

impl Shop {
    fn open() -> Self {
        let provider = ProviderDouble::start(Settings {
            dimensions: DIMENSIONS,
            ..Settings::default()
        });
        let cluster = Cluster::start();
        let mut client = cluster.create_database("shop");
        services::register(&mut client, "double", &provider, "");
        services::create_notes(&mut client);
        services::add_notes(&mut client, 1, 1, 50);
        client.run("alter table notes add single real[], add \"Double Vector\" float8[], add number int");
        // As the model makes them, but of any length.
        let texts: Vec<String> = client.values("select content from notes order by id", &[]);
        for (id, text) in (1_i32..).zip(&texts) {
            let vector: Vec<f32> = client.value("select vb_embed($1, 'double')", &[text]);
            let longer: Vec<f32> = vector.iter().map(|x| 3.0 * x).collect();
            client.rows(
                "update notes set single = $1, \"Double Vector\" = $1::real[]::float8[] where id = $2",
                &[&longer, &id],
            );
        }
        provider.forget();
        let store = Store::of(&cluster, &mut client);
        Self {
            _cluster: cluster,
            client,
            store,
            provider,
        }
    }

    fn import(&mut self, column: &str) -> (i64, i64) {
        let sql = format!("select * from vb_import_vectors(1, 'notes', '{column}', 'test-model')");
        let row = self.client.row(&sql, &[]);
        (row.get("imported"), row.get("refused"))
    }

    fn nearest(&mut self) -> Vec<String> {
        self.client.values(
            "select record_id || ' ' || round(score::numeric, 4) from vb_search(1, 'notes', 'note number 7 says ' || md5('7'), 1)",
            &[],
        )
    }
}

#[test]
fn vectors_are_taken_over_and_nothing_is_embedded() {
    for column in ["single", "Double Vector"] {
        let mut shop = Shop::open();
        assert_eq!(shop.import(column), (50, 0));
        assert_eq!(shop.provider.count(), 0);
        assert_eq!(services::assert_agreement(&mut shop.client, &shop.store, 1), 50);
        assert_eq!(shop.nearest(), ["7 1.0000"]);
        shop.provider.forget();
        // A backfill finds nothing to do, and once more changes nothing.
        assert_eq!(jobs::backfill(&mut shop.client, 1, "notes").successful, 0);
        assert_eq!(shop.provider.count(), 0);
        assert_eq!(shop.import(column), (50, 0));
        assert_eq!(services::assert_agreement(&mut shop.client, &shop.store, 1), 50);
    }
}

#[test]
fn payload_columns_come_along_with_the_vectors() {
    let mut shop = Shop::open();
    shop.client
        .run("select vb_configure_source('notes', payload_columns => array['number'])");
    shop.client.run("update notes set number = id % 5");
    assert_eq!(shop.import("single"), (50, 0));
    let of_three: i64 = shop.client.value(
        "select count(*) from vb_search(1, 'notes', 'note', 50, mode => 'keyword', filter => '{\"number\": 3}')",
        &[],
    );
    assert_eq!(of_three, 10);
    assert_eq!(jobs::backfill(&mut shop.client, 1, "notes").total, 0);
}

#[test]
fn rows_without_a_vector_or_with_a_bad_one_are_left_to_a_backfill() {
    let mut shop = Shop::open();
    shop.client.run("update notes set single = null where id = 1");
    shop.client
        .run("update notes set single = array_fill(0::real, array[8]) where id = 2");
    shop.client.run("update notes set single = single[1:7] where id = 3");
    shop.client.run("update notes set single[3] = null where id = 4");
    shop.client.run("update notes set single[3] = 'NaN' where id = 5");
    shop.client.run("update notes set single[3] = 'infinity' where id = 6");
    shop.client.run("update notes set content = null where id = 7");
    assert_eq!(shop.import("single"), (43, 5));
    let warnings = shop.client.take_notices();
    let named = |what: &str| warnings.iter().any(|warning| warning.message.contains(what));
    assert!(
        named("7 dimensions, not 8") && named("zero") && named("finite"),
        "{warnings:?}"
    );
    let missing: i64 = shop
        .client
        .value("select missing_records from vb_verify(1, 'notes')", &[]);
    assert_eq!(missing, 6);
    assert_eq!(jobs::backfill(&mut shop.client, 1, "notes").successful, 6);
    assert_eq!(services::assert_agreement(&mut shop.client, &shop.store, 1), 49);
}

#[test]
fn pgvectors_columns_are_taken_where_it_is_installed() {
    let mut shop = Shop::open();
    let is_there: bool = shop.client.value(
        "select exists (select from pg_available_extensions where name = 'vector')",
        &[],
    );
    if !is_there {
        println!("pgvector is not installed here");
        return;
    }
    shop.client
        .run("create schema tools; create extension vector schema tools");
    shop.client.run("alter table notes add embedding tools.vector(8)");
    shop.client.run("update notes set embedding = single::tools.vector");
    assert_eq!(shop.import("embedding"), (50, 0));
    assert_eq!(shop.nearest(), ["7 1.0000"]);
}

#[test]
fn what_cannot_be_compared_is_refused_with_the_reason() {
    let mut shop = Shop::open();
    let error = |shop: &mut Shop, arguments: &str| {
        shop.client
            .error(&format!("select * from vb_import_vectors({arguments})"), &[])
    };
    let unknown_model = error(&mut shop, "1, 'notes', 'single', 'nobodys-model'");
    assert_eq!(unknown_model.code, "42704");
    assert!(unknown_model.hint.is_some_and(|hint| hint.contains("vb_set_provider")));
    assert_eq!(error(&mut shop, "1, 'notes', 'nothing', 'test-model'").code, "42703");
    assert_eq!(error(&mut shop, "1, 'notes', 'number', 'test-model'").code, "42804");
    assert_eq!(error(&mut shop, "1, 'notes', null, 'test-model'").code, "22004");
    // Vectors of another length than the provider's.
    shop.client.run("update notes set single = single || 1::real");
    let wide = error(&mut shop, "1, 'notes', 'single', 'test-model'");
    assert!(wide.message.contains("9 dimensions"), "{wide:?}");
    // A collection of another model.
    let job = services::enqueue(&mut shop.client, 1, "double", 50);
    jobs::completed(&mut shop.client, job);
    shop.client.run(
        "select vb_set_provider('other', kind => 'openai_compatible', model => 'other-model',
                     endpoint => 'http://127.0.0.1:1', options => '{\"local\": true}')",
    );
    let mixed = error(&mut shop, "1, 'notes', 'Double Vector', 'other-model'");
    assert!(mixed.message.contains("\"test-model\""), "{mixed:?}");
    assert_eq!(services::assert_agreement(&mut shop.client, &shop.store, 1), 50);
}
