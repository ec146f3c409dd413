//! The stores as configured: opened at the start, closed at the end.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use tokio::runtime::Handle;

use super::config::StoresConfig;
use crate::store::contract::VectorStore;
use crate::store::embedded::{EmbeddedOptions, EmbeddedStore};
use crate::store::error::StoreError;
use crate::store::place::StoreKind;
use crate::store::qdrant::{QdrantOptions, QdrantStore};

/// The stores that the engine uses.
pub(crate) struct Stores {
    embedded: Arc<dyn VectorStore>,
    qdrant: Server,
    /// What the engine opened itself and has to close.
    opened: Option<Arc<EmbeddedStore>>,
}

impl Stores {
    /// Opens the stores. What they build in the background runs at `niceness`. Must run inside the runtime that is to
    /// drive their connections.
    pub(super) fn open(config: &StoresConfig, niceness: i32) -> Result<Self, StoreError> {
        let StoresConfig { directory, qdrant } = config;
        let embedded = embedded(directory.clone(), niceness)?;
        Ok(Self {
            embedded: embedded.clone(),
            qdrant: Server {
                options: qdrant.clone(),
                runtime: Some(Handle::current()),
                connected: OnceLock::new(),
            },
            opened: Some(embedded),
        })
    }

    /// One store for everything, which belongs to the caller.
    pub(super) fn given(store: Arc<dyn VectorStore>) -> Self {
        Self {
            embedded: store.clone(),
            qdrant: Server {
                options: Err("it is given".to_owned()),
                runtime: None,
                connected: OnceLock::from(store),
            },
            opened: None,
        }
    }

    /// The store of a kind.
    pub(crate) fn get(&self, kind: StoreKind) -> Result<&Arc<dyn VectorStore>, StoreError> {
        match kind {
            StoreKind::Embedded => Ok(&self.embedded),
            StoreKind::Qdrant => self.qdrant.get(),
        }
    }

    /// Makes everything durable and lets go of what the engine opened.
    pub(super) async fn close(&self) {
        if let Some(embedded) = &self.opened {
            embedded.close().await;
        }
    }
}

fn embedded(directory: PathBuf, niceness: i32) -> Result<Arc<EmbeddedStore>, StoreError> {
    let options = EmbeddedOptions {
        niceness,
        ..EmbeddedOptions::default()
    };
    EmbeddedStore::open(directory, options).map(Arc::new)
}

/// A Qdrant server, if there is one.
struct Server {
    /// How it is talked to, or why there is none.
    options: Result<QdrantOptions, String>,
    /// Drives its connections.
    runtime: Option<Handle>,
    /// Filled when somebody wants it for the first time and the options are right: what is wrong with them (a file of
    /// certificates, say) may be put right meanwhile.
    connected: OnceLock<Arc<dyn VectorStore>>,
}

impl Server {
    /// Nothing is asked of the server yet.
    fn get(&self) -> Result<&Arc<dyn VectorStore>, StoreError> {
        if let Some(store) = self.connected.get() {
            return Ok(store);
        }
        let options = self.options.clone().map_err(StoreError::Configuration)?;
        let _runtime = self.runtime.as_ref().map(Handle::enter);
        let store: Arc<dyn VectorStore> = Arc::new(QdrantStore::open(options)?);
        Ok(self.connected.get_or_init(|| store))
    }
}
