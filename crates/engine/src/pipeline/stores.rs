//! The stores as configured: opened at the start, closed at the end.

use std::path::PathBuf;
use std::sync::Arc;

use super::config::StoresConfig;
use crate::store::contract::VectorStore;
use crate::store::embedded::{EmbeddedOptions, EmbeddedStore};
use crate::store::error::StoreError;
use crate::store::place::StoreKind;
use crate::store::qdrant::{QdrantOptions, QdrantStore};

/// The stores that the engine uses.
pub(crate) struct Stores {
    embedded: Arc<dyn VectorStore>,
    /// Why there is none, if there is none.
    qdrant: Result<Arc<dyn VectorStore>, StoreError>,
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
            qdrant: connected(qdrant.clone()),
            opened: Some(embedded),
        })
    }

    /// One store for everything, which belongs to the caller.
    pub(super) fn given(store: Arc<dyn VectorStore>) -> Self {
        Self {
            embedded: store.clone(),
            qdrant: Ok(store),
            opened: None,
        }
    }

    /// The store of a kind.
    pub(crate) fn get(&self, kind: StoreKind) -> Result<&Arc<dyn VectorStore>, StoreError> {
        match kind {
            StoreKind::Embedded => Ok(&self.embedded),
            StoreKind::Qdrant => self.qdrant.as_ref().map_err(Clone::clone),
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

/// Nothing is asked of the server yet. What is wrong with the options is said to those who want it.
fn connected(options: Result<QdrantOptions, String>) -> Result<Arc<dyn VectorStore>, StoreError> {
    let options = options.map_err(StoreError::Configuration)?;
    Ok(Arc::new(QdrantStore::open(options)?))
}
