//! Notes that are kept in step.

use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::store::Store;
use vb_tests::{jobs, services, sync};

/// Notes of client 1; client 2 has half as many.
pub(crate) const ROWS: i32 = 60;

/// A database whose notes are embedded.
pub(crate) struct Shop {
    pub(crate) client: Client,
    pub(crate) store: Store,
    pub(crate) provider: ProviderDouble,
    pub(crate) cluster: Cluster,
}

impl Shop {
    /// With the notes of both clients embedded, and not yet kept in step.
    pub(crate) fn open(settings: &str) -> Self {
        Self::open_with(settings, Settings::default())
    }

    pub(crate) fn open_with(settings: &str, provider: Settings) -> Self {
        let provider = ProviderDouble::start(provider);
        let cluster = Cluster::with_settings(&format!("shared_preload_libraries = 'vector_backfill'\n{settings}"));
        let mut client = cluster.create_database("shop");
        services::register(&mut client, "double", &provider, "");
        services::create_notes(&mut client);
        services::add_notes(&mut client, 1, 1, ROWS);
        services::add_notes(&mut client, 2, 1_001, ROWS / 2);
        for client_id in [1, 2] {
            let job = services::enqueue(&mut client, client_id, "double", 50);
            jobs::completed(&mut client, job);
        }
        let store = Store::of(&cluster, &mut client);
        Self {
            client,
            store,
            provider,
            cluster,
        }
    }

    /// The same, kept in step.
    pub(crate) fn open_in_step(settings: &str) -> Self {
        let mut shop = Self::open(settings);
        sync::enable(&mut shop.client, "notes");
        shop
    }

    /// Runs statements one by one, waits until the vectors have followed, and checks that they did.
    pub(crate) fn after(&mut self, statements: &str) {
        self.client.run(statements);
        sync::settled(&mut self.client);
        self.agrees();
    }

    /// Source, references and store say the same.
    pub(crate) fn agrees(&mut self) {
        for client_id in [1, 2] {
            services::assert_agreement(&mut self.client, &self.store, client_id);
        }
    }

    /// Texts that the provider has embedded.
    pub(crate) fn texts_sent(&self) -> usize {
        services::notes_sent(&self.provider)
    }

    /// Texts that the provider embeds while the statements are followed.
    pub(crate) fn texts_for(&mut self, statements: &str) -> usize {
        let before = self.texts_sent();
        self.after(statements);
        self.texts_sent() - before
    }
}
