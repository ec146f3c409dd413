//! What only the Qdrant store promises.
//!
//! - `faults.rs`: a server that is away, slow, full, or cuts the connection;
//! - `making.rs`: how collections are made and named;
//! - `access.rs`: addresses, keys and certificates.

mod access;
mod faults;
mod making;

use std::time::Duration;

use vb_engine::store::qdrant::{CollectionOptions, QdrantOptions, QdrantStore};
use vb_qdrant_double::server::QdrantDouble;
use vb_qdrant_double::settings::Settings;

/// A server to test with: a real one where there is one.
pub(crate) enum Server {
    Real(String),
    Double(QdrantDouble),
}

impl Server {
    pub(crate) fn start() -> Self {
        match std::env::var("VB_TEST_QDRANT_URL") {
            Ok(url) => Self::Real(url),
            Err(_) => Self::Double(double()),
        }
    }

    /// A store at this server.
    pub(crate) fn store(&self) -> QdrantStore {
        let url = match self {
            Self::Real(url) => url.clone(),
            Self::Double(double) => double.url(),
        };
        QdrantStore::open(options(url)).unwrap()
    }
}

/// A server that obeys.
fn double() -> QdrantDouble {
    QdrantDouble::start(Settings::default()).unwrap()
}

/// A store at that server.
fn store_at(double: &QdrantDouble) -> QdrantStore {
    QdrantStore::open(options(double.url())).unwrap()
}

fn options(url: String) -> QdrantOptions {
    QdrantOptions {
        url,
        api_key: None,
        secret_directory: None,
        ca_file: None,
        request_timeout: Duration::from_secs(30),
        collections: CollectionOptions::default(),
    }
}
