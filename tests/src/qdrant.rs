//! The Qdrant server that tests use when they run with that store: one of their own, or a real one.

use std::time::Duration;

use vb_engine::point::Point;
use vb_engine::store::contract::{Detail, VectorStore};
use vb_engine::store::qdrant::{CollectionOptions, QdrantOptions, QdrantStore};
use vb_engine::store::share::Share;
use vb_qdrant_double::server::QdrantDouble;
use vb_qdrant_double::settings::Settings;

/// Names the store that tests run with; the embedded one when it is not set.
const STORE: &str = "VB_TEST_STORE";

/// The address of a real server to run with.
const REAL_SERVER: &str = "VB_TEST_QDRANT_URL";

/// A Qdrant server.
pub struct Qdrant {
    url: String,
    double: Option<QdrantDouble>,
}

impl std::fmt::Debug for Qdrant {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Qdrant").field(&self.url).finish()
    }
}

impl Qdrant {
    /// The server for tests that run with that store; `None` when they run with the embedded one.
    pub fn when_wanted() -> Option<Self> {
        match std::env::var(STORE).as_deref() {
            Ok("qdrant") => Some(Self::start()),
            Ok("embedded") | Err(_) => None,
            Ok(other) => panic!("{STORE} is {other}, not embedded or qdrant"),
        }
    }

    /// A server, a real one where there is one.
    pub fn start() -> Self {
        match std::env::var(REAL_SERVER) {
            Ok(url) => Self { url, double: None },
            Err(_) => Self::double(),
        }
    }

    /// A server that does on command what a real one does on bad days.
    pub fn double() -> Self {
        let double = QdrantDouble::start(Settings::default()).expect("a server can be started");
        Self {
            url: double.url(),
            double: Some(double),
        }
    }

    /// Lines for a configuration file.
    pub fn settings(&self) -> String {
        let url = &self.url;
        format!("\nvector_backfill.store = 'qdrant'\nvector_backfill.qdrant_url = '{url}'\n")
    }

    /// Removes collections, as somebody else would.
    pub fn remove(&self, collections: &[String]) {
        self.with_store(async |store| {
            for collection in collections {
                store.drop_collection(collection).await.expect("the server is there");
            }
        });
    }

    /// Changes the points of a collection by hand: each that is there is shown to `change`, and what comes of it is
    /// written.
    pub fn rewrite(&self, collection: &str, change: impl Fn(Point) -> Option<Point>) {
        self.with_store(async |store| {
            let share = Share::whole(collection);
            let all = store
                .scroll(&share, None, 10_000, Detail::Whole)
                .await
                .expect("it is there");
            let changed = all
                .into_iter()
                .filter_map(|point| point.whole)
                .filter_map(change)
                .collect();
            store.upsert(&share, changed).await.expect("it takes points");
        });
    }

    fn with_store(&self, work: impl AsyncFnOnce(QdrantStore)) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime can be started");
        runtime.block_on(async {
            let store = QdrantStore::open(QdrantOptions {
                url: self.url.clone(),
                api_key: None,
                secret_directory: None,
                ca_file: None,
                request_timeout: Duration::from_secs(30),
                collections: CollectionOptions::default(),
            });
            work(store.expect("the address is right")).await;
        });
    }

    /// The server when it is one that obeys.
    pub fn commanded(&self) -> &QdrantDouble {
        self.double.as_ref().expect("this server is a real one")
    }
}
