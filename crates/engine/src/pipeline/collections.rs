//! Writes batches to their stores. A collection is made when the first batch comes for it, not on the way of every batch.
//!
//! What was embedded is paid for, so a batch waits here for a store that does not answer, and repeats what it does not know
//! to have happened, until its job is stopped.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use uuid::Uuid;

use super::outages::{Outage, Outages};
use super::stores::Stores;
use crate::batch::Target;
use crate::cancel::CancelFlag;
use crate::fields::FieldsChange;
use crate::point::{Point, PointKey};
use crate::policy::backoff;
use crate::store::contract::{CollectionSpec, Detail, VectorStore};
use crate::store::error::StoreError;
use crate::store::place::{Place, StoreKind};
use crate::store::share::Share;

/// Pauses before a store that does not answer is tried again: the first, and the longest of those that follow.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The stores, and the collections that this process knows to be there.
pub(crate) struct Collections {
    stores: Stores,
    outages: Outages,
    known: Mutex<HashMap<Space, Made>>,
    made: Mutex<Vec<MadeCollection>>,
    /// Collections that were there and are gone, until they are made again.
    lost: Mutex<HashSet<(StoreKind, String)>>,
}

/// A collection that a batch found missing and made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeCollection {
    /// Its store.
    pub store: StoreKind,
    /// Its name.
    pub name: String,
    /// Whether it had been there since this process began: then what was written to it is lost. Otherwise it may be new.
    pub again: bool,
}

/// A store and a collection of it.
type Space = (StoreKind, CollectionSpec);

/// Filled once the collection is there. Whoever comes while one batch makes it waits for that.
type Made = Arc<OnceCell<()>>;

/// What is written to a collection.
struct Write<'a> {
    store: &'a dyn VectorStore,
    kind: StoreKind,
    spec: &'a CollectionSpec,
    share: Share,
    points: Vec<Point>,
    changes: &'a [FieldsChange],
    removals: Vec<PointKey>,
}

impl Collections {
    pub(crate) fn new(stores: Stores) -> Self {
        Self {
            stores,
            outages: Outages::default(),
            known: Mutex::default(),
            made: Mutex::default(),
            lost: Mutex::default(),
        }
    }

    /// The store of a kind.
    pub(crate) fn store(&self, kind: StoreKind) -> Result<&Arc<dyn VectorStore>, StoreError> {
        self.stores.get(kind)
    }

    /// What keeps a store from answering, if something does.
    pub(crate) fn outage(&self, kind: StoreKind) -> Option<Outage> {
        self.outages.of(kind)
    }

    /// Closes what the engine opened.
    pub(crate) async fn close(&self) {
        self.stores.close().await;
    }

    /// Writes the points, changes and removes others, and returns when all that is durable. A collection that somebody removed
    /// meanwhile is made again, once. Waits for a store that does not answer as long as the flag is not raised.
    pub(crate) async fn write(
        &self,
        target: &Target,
        points: Vec<Point>,
        changes: &[FieldsChange],
        removals: &[Uuid],
        cancel: &CancelFlag,
    ) -> Result<(), StoreError> {
        if points.is_empty() && changes.is_empty() && removals.is_empty() {
            return Ok(());
        }
        let Place { store: kind, share } = target.place();
        let write = Write {
            store: self.store(kind)?.as_ref(),
            kind,
            spec: &target.collection,
            share,
            points,
            changes,
            removals: removals.iter().copied().map(PointKey::Id).collect(),
        };
        let mut attempt = 0;
        loop {
            let (error, pause) = match self.write_once(&write).await {
                Err(error @ StoreError::Unavailable(_)) => {
                    attempt += 1;
                    // Half of it at least: with luck alone, the first pauses would all be short.
                    let chance = 0.5 + rand::random::<f64>() / 2.0;
                    (error, backoff::delay(attempt, FIRST_PAUSE, LONGEST_PAUSE, chance))
                }
                Err(StoreError::Throttled { message, retry_after }) => {
                    (StoreError::Throttled { message, retry_after }, retry_after)
                }
                result => {
                    self.outages.end(kind);
                    return result;
                }
            };
            self.outages.note(kind, &error);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = cancel.raised() => return Err(error),
            }
        }
    }

    /// Removes a collection, or a client's share of one; what is not there is no error.
    pub(crate) async fn remove(&self, Place { store: kind, share }: &Place) -> Result<(), StoreError> {
        let store = self.store(*kind)?;
        if share.client_id.is_none() {
            let result = store.drop_collection(&share.collection).await;
            self.forget(*kind, &share.collection);
            return result;
        }
        match store.clear(share).await {
            Ok(()) => store.flush(&share.collection).await,
            Err(StoreError::NoCollection(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether a place has any point.
    pub(crate) async fn has_points(&self, Place { store: kind, share }: &Place) -> Result<bool, StoreError> {
        match self.store(*kind)?.scroll(share, None, 1, Detail::Key).await {
            Ok(points) => Ok(!points.is_empty()),
            Err(StoreError::NoCollection(_)) => {
                self.forget(*kind, &share.collection);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    async fn write_once(&self, write: &Write<'_>) -> Result<(), StoreError> {
        if write.points.is_empty() && write.changes.is_empty() {
            return match remove_points(write).await {
                // Nothing is in a collection that is not there.
                Err(StoreError::NoCollection(_)) => Ok(()),
                result => result,
            };
        }
        match self.write_and_remove(write).await {
            Err(StoreError::NoCollection(name)) => {
                log::warn!("collection \"{name}\" was gone and is made again");
                self.forget(write.kind, &write.spec.name);
                lock(&self.lost).insert((write.kind, write.spec.name.clone()));
                self.write_and_remove(write).await
            }
            result => result,
        }
    }

    async fn write_and_remove(&self, write: &Write<'_>) -> Result<(), StoreError> {
        self.ensure(write).await?;
        if !write.points.is_empty() {
            write.store.upsert(&write.share, write.points.clone()).await?;
        }
        if !write.changes.is_empty() {
            write.store.set_fields(&write.share, write.changes).await?;
        }
        remove_points(write).await
    }

    async fn ensure(&self, write: &Write<'_>) -> Result<(), StoreError> {
        let cell = {
            let mut known = lock(&self.known);
            known.entry((write.kind, write.spec.clone())).or_default().clone()
        };
        let make = async || {
            if write.store.ensure_collection(write.spec).await? {
                let (store, name) = (write.kind, write.spec.name.clone());
                let again = lock(&self.lost).remove(&(store, name.clone()));
                lock(&self.made).push(MadeCollection { store, name, again });
            }
            Ok(())
        };
        cell.get_or_try_init(make).await.copied()
    }

    /// Collections that were missing and were made since the last call.
    pub(crate) fn take_made(&self) -> Vec<MadeCollection> {
        std::mem::take(&mut *lock(&self.made))
    }

    fn forget(&self, kind: StoreKind, name: &str) {
        lock(&self.known).retain(|(store, known), _| *store != kind || known.name != name);
    }
}

async fn remove_points(write: &Write<'_>) -> Result<(), StoreError> {
    if !write.removals.is_empty() {
        write.store.delete(&write.share, write.removals.clone()).await?;
    }
    write.store.flush(&write.spec.name).await
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
