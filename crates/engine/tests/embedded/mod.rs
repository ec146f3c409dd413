//! What only the embedded store promises.
//!
//! - `lifecycle.rs`: owning the directory, opening again, closing what nobody uses, recovering what is half made;
//! - `index.rs`: building the index of large collections beside everything else;
//! - `kill.rs`: a process killed at any moment.

mod index;
mod kill;
mod lifecycle;

use std::path::Path;

use vb_engine::store::contract::{CollectionSpec, VectorStore};
use vb_engine::store::embedded::{EmbeddedOptions, EmbeddedStore};

/// A store in this directory.
pub(crate) fn open(directory: &Path) -> EmbeddedStore {
    EmbeddedStore::open(directory.to_owned(), EmbeddedOptions::default()).unwrap()
}

/// Makes the collection if it is missing.
async fn ensure(store: &dyn VectorStore, name: &str, dimensions: usize) {
    store
        .ensure_collection(&CollectionSpec {
            name: name.to_owned(),
            dimensions,
            is_shared: false,
            fields: Vec::new(),
        })
        .await
        .unwrap();
}
