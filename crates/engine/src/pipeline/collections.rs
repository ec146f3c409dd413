//! Writes batches to the store. A collection is made when the first batch comes for it, not on the way of every batch.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::point::Point;
use crate::store::contract::{CollectionSpec, StoreError, VectorStore};

/// The store, and the collections that this process knows to be there.
pub(crate) struct Collections {
    store: Arc<dyn VectorStore>,
    known: Mutex<HashMap<Space, Made>>,
}

/// Name and dimensions of a collection.
type Space = (String, usize);

/// Filled once the collection is there. Whoever comes while one batch makes it waits for that.
type Made = Arc<OnceCell<()>>;

impl Collections {
    pub(crate) fn new(store: Arc<dyn VectorStore>) -> Self {
        Self {
            store,
            known: Mutex::default(),
        }
    }

    pub(crate) fn store(&self) -> &Arc<dyn VectorStore> {
        &self.store
    }

    /// Writes the points, removes the others, and returns when both are durable. A collection that somebody removed
    /// meanwhile is made again, once.
    pub(crate) async fn write(
        &self,
        spec: &CollectionSpec,
        points: Vec<Point>,
        removals: &[Uuid],
    ) -> Result<(), StoreError> {
        if points.is_empty() && removals.is_empty() {
            return Ok(());
        }
        if points.is_empty() {
            return match self.remove(spec, removals).await {
                // Nothing is in a collection that is not there.
                Err(StoreError::NoCollection(_)) => Ok(()),
                result => result,
            };
        }
        match self.upsert_and_remove(spec, points.clone(), removals).await {
            Err(StoreError::NoCollection(name)) => {
                log::warn!("collection \"{name}\" was gone and is made again");
                self.forget(&spec.name);
                self.upsert_and_remove(spec, points, removals).await
            }
            result => result,
        }
    }

    /// Removes the collection.
    pub(crate) async fn drop_collection(&self, name: &str) -> Result<(), StoreError> {
        let result = self.store.drop_collection(name).await;
        self.forget(name);
        result
    }

    async fn upsert_and_remove(
        &self,
        spec: &CollectionSpec,
        points: Vec<Point>,
        removals: &[Uuid],
    ) -> Result<(), StoreError> {
        self.ensure(spec).await?;
        self.store.upsert(&spec.name, points).await?;
        self.remove(spec, removals).await
    }

    async fn remove(&self, spec: &CollectionSpec, removals: &[Uuid]) -> Result<(), StoreError> {
        if !removals.is_empty() {
            self.store.delete(&spec.name, removals.to_vec()).await?;
        }
        self.store.flush(&spec.name).await
    }

    async fn ensure(&self, spec: &CollectionSpec) -> Result<(), StoreError> {
        let cell = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.entry((spec.name.clone(), spec.dimensions)).or_default().clone()
        };
        cell.get_or_try_init(|| self.store.ensure_collection(spec))
            .await
            .copied()
    }

    fn forget(&self, name: &str) {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|(known, _), _| known != name);
    }
}
