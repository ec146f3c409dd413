//! A database whose vectors are in a Qdrant server that obeys the test.

use std::time::Duration;

use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings as ProviderSettings;
use vb_qdrant_double::faults::Rule;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::qdrant::Qdrant;
use vb_tests::services;
use vb_tests::store::Store;

pub(crate) const ROWS: i64 = 300;

/// A database whose vectors are in a server that obeys us.
pub(crate) struct Shop {
    pub(crate) cluster: Cluster,
    pub(crate) client: Client,
    pub(crate) store: Store,
    pub(crate) provider: ProviderDouble,
}

impl Shop {
    pub(crate) fn open() -> Self {
        Self::with(Duration::ZERO)
    }

    /// The same with a provider that takes so long.
    pub(crate) fn with(latency: Duration) -> Self {
        let provider = ProviderDouble::start(ProviderSettings {
            latency,
            ..ProviderSettings::default()
        });
        let settings = "shared_preload_libraries = 'vector_backfill'";
        let cluster = Cluster::with_store(Some(Qdrant::double()), settings);
        let mut client = cluster.create_database("shop");
        services::register(&mut client, "double", &provider, "");
        services::create_notes(&mut client);
        services::add_notes(&mut client, 1, 1, ROWS as i32);
        let store = Store::of(&cluster, &mut client);
        Self {
            cluster,
            client,
            store,
            provider,
        }
    }

    pub(crate) fn enqueue(&mut self) -> i64 {
        services::enqueue(&mut self.client, 1, "double", 20)
    }

    pub(crate) fn fault(&self, rule: Rule) {
        self.cluster.qdrant().commanded().fault(rule);
    }

    pub(crate) fn assert_agreement(&mut self) {
        let points = services::assert_agreement(&mut self.client, &self.store, 1);
        assert_eq!(points, ROWS as usize);
    }

    /// Texts that the provider was sent for rows.
    pub(crate) fn texts_sent(&self) -> usize {
        services::notes_sent(&self.provider)
    }

    pub(crate) fn health(&mut self) -> Vec<String> {
        self.client.values("select finding from vb_health()", &[])
    }
}
