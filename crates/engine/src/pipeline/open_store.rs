//! The store as configured: opened at the start, closed at the end.

use std::sync::Arc;

use super::config::StoreConfig;
use crate::store::contract::{StoreError, VectorStore};
use crate::store::embedded::{EmbeddedOptions, EmbeddedStore};

/// A store that the engine uses.
pub(super) enum OpenStore {
    /// One that the engine opened.
    Embedded(Arc<EmbeddedStore>),
    /// One that belongs to the caller.
    Given(Arc<dyn VectorStore>),
}

impl OpenStore {
    /// Opens the store. What it builds in the background runs at `niceness`.
    pub(super) fn open(config: &StoreConfig, niceness: i32) -> Result<Self, StoreError> {
        match config {
            StoreConfig::Embedded { directory } => {
                let options = EmbeddedOptions {
                    niceness,
                    ..EmbeddedOptions::default()
                };
                Ok(Self::Embedded(Arc::new(EmbeddedStore::open(
                    directory.clone(),
                    options,
                )?)))
            }
        }
    }

    /// The store as the contract has it.
    pub(super) fn store(&self) -> Arc<dyn VectorStore> {
        match self {
            Self::Embedded(store) => store.clone(),
            Self::Given(store) => store.clone(),
        }
    }

    /// Makes everything durable and lets go of what the engine opened.
    pub(super) async fn close(&self) {
        match self {
            Self::Embedded(store) => store.close().await,
            Self::Given(_) => {}
        }
    }
}
