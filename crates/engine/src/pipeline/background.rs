//! What the engine does about collections beside batches, in the background: indexes them, names them, removes them; and what
//! it has noticed of stores.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::collections::MadeCollection;
use super::engine::Engine;
use super::outages::Outage;
use crate::policy::backoff;
use crate::store::error::StoreError;
use crate::store::place::{Place, StoreKind};

/// Pauses before a store that does not answer is asked again for a name: the first, and the longest of those that follow.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What is under way, and what ended.
#[derive(Default)]
pub(super) struct Background {
    /// Collections whose index is being built.
    optimizing: Arc<Mutex<HashSet<String>>>,
    /// Removals that ended, by their number.
    removed: Removed,
    /// What other names are to stand for, in which store.
    aliases: Aliases,
    /// Places that were looked at.
    looked: Arc<Mutex<Vec<Looked>>>,
}

/// What a look at a place found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The place.
    pub place: Place,
    /// Whether it has any point; `None` when the store did not say.
    pub has_points: Option<bool>,
}

/// Collections by store and alias.
type Aliases = Arc<Mutex<HashMap<(StoreKind, String), String>>>;

/// Removals that ended, and how.
type Removed = Arc<Mutex<Vec<(i64, Result<(), StoreError>)>>>;

impl Engine {
    /// Builds the collection's search index in the background. One that is being built already is not started again;
    /// errors are logged.
    pub fn optimize(&self, kind: StoreKind, collection: &str) {
        let Some(running) = &self.running else { return };
        if !lock(&self.background.optimizing).insert(collection.to_owned()) {
            return;
        }
        let turn = Optimizing {
            collection: collection.to_owned(),
            all: self.background.optimizing.clone(),
        };
        let Ok(store) = self.stages.collections.store(kind).cloned() else {
            return;
        };
        running.batches.spawn(async move {
            match store.optimize(&turn.collection).await {
                // A client without a single row with text has no collection.
                Ok(()) | Err(StoreError::NoCollection(_)) => {}
                Err(error) => {
                    log::warn!(
                        "could not build the search index of collection \"{}\": {error}",
                        turn.collection
                    );
                }
            }
        });
    }

    /// Removes a collection, or a client's share of one, in the background; what came of it is in
    /// [`Engine::take_removed`]. A batch in flight for the same place would make it again: call this when there is none.
    pub fn remove(&self, removal: i64, place: Place) {
        let Some(running) = &self.running else { return };
        let (stages, removed) = (self.stages.clone(), self.background.removed.clone());
        running.batches.spawn(async move {
            let result = stages.collections.remove(&place).await;
            lock(&removed).push((removal, result));
        });
    }

    /// Collections that batches found missing and made, since the last call. Each is here before the outcome of the batch
    /// that made it can be taken.
    pub fn take_made(&self) -> Vec<MadeCollection> {
        self.stages.collections.take_made()
    }

    /// Looks in the background whether a place has any point; what was found is in [`Engine::take_looked`], and the wake byte
    /// comes after it.
    pub fn look(&self, place: Place) {
        let Some(running) = &self.running else { return };
        let (stages, looked) = (self.stages.clone(), self.background.looked.clone());
        let sender = self.sender.clone();
        running.batches.spawn(async move {
            let has_points = match stages.collections.has_points(&place).await {
                Ok(has_points) => Some(has_points),
                Err(error) => {
                    log::warn!("could not look at collection \"{}\": {error}", place.share.collection);
                    None
                }
            };
            lock(&looked).push(Looked { place, has_points });
            sender.wake();
        });
    }

    /// Looks that ended since the last call.
    pub fn take_looked(&self) -> Vec<Looked> {
        std::mem::take(&mut *lock(&self.background.looked))
    }

    /// Removals that ended since the last call.
    pub fn take_removed(&self) -> Vec<(i64, Result<(), StoreError>)> {
        std::mem::take(&mut *lock(&self.background.removed))
    }

    /// Lets a name stand for the collection, in the background; tried again as long as the store does not answer. Other
    /// errors are logged.
    pub fn set_alias(&self, kind: StoreKind, alias: &str, collection: &str) {
        let Some(running) = &self.running else { return };
        let key = (kind, alias.to_owned());
        let wanted = self.background.aliases.clone();
        if lock(&wanted).insert(key.clone(), collection.to_owned()).is_some() {
            // Whoever is at it gives the name to the latest.
            return;
        }
        let stages = self.stages.clone();
        running.batches.spawn(async move {
            let mut attempt = 0;
            while let Some(collection) = latest(&wanted, &key) {
                let set = match stages.collections.store(kind) {
                    Ok(store) => store.set_alias(&key.1, &collection).await,
                    Err(error) => Err(error),
                };
                match set {
                    Err(StoreError::Unavailable(_) | StoreError::Throttled { .. }) => {
                        attempt += 1;
                        tokio::time::sleep(backoff::delay(attempt, FIRST_PAUSE, LONGEST_PAUSE, 1.0)).await;
                        continue;
                    }
                    // A client without a single row with text has no collection.
                    Ok(()) | Err(StoreError::NoCollection(_)) => {}
                    Err(error) => log::warn!("could not name collection \"{collection}\" \"{}\": {error}", key.1),
                }
                let mut wanted = lock(&wanted);
                if wanted.get(&key) == Some(&collection) {
                    wanted.remove(&key);
                }
            }
        });
    }

    /// What keeps a store from answering, if something does: batches in flight wait for it.
    pub fn outage(&self, kind: StoreKind) -> Option<Outage> {
        self.stages.collections.outage(kind)
    }

    /// Removes all embedded collections but those named, in the background; errors are logged. Gives those of the named that
    /// are not there. To be called before the first batch.
    pub fn drop_all_but(&self, named: &[String]) -> Vec<String> {
        let Some(running) = &self.running else {
            return Vec::new();
        };
        let kind = StoreKind::Embedded;
        let found = match self.stages.collections.store(kind) {
            Ok(store) => running.service.block_on(store.collections()),
            Err(error) => Err(error),
        };
        match found {
            Ok(found) => {
                for collection in found.iter().filter(|name| !named.contains(name)) {
                    log::info!("collection \"{collection}\" is nobody's and is removed");
                    let (stages, place) = (self.stages.clone(), Place::whole(kind, collection));
                    running.batches.spawn(async move {
                        if let Err(error) = stages.collections.remove(&place).await {
                            log::warn!("could not remove collection \"{}\": {error}", place.share.collection);
                        }
                    });
                }
                named.iter().filter(|name| !found.contains(name)).cloned().collect()
            }
            Err(error) => {
                log::warn!("could not list the collections: {error}");
                Vec::new()
            }
        }
    }
}

/// The collection that is to have the name, as long as somebody wants that.
fn latest(wanted: &Aliases, key: &(StoreKind, String)) -> Option<String> {
    lock(wanted).get(key).cloned()
}

/// A collection whose index is being built; no longer when this is dropped, which a panic does too.
struct Optimizing {
    collection: String,
    all: Arc<Mutex<HashSet<String>>>,
}

impl Drop for Optimizing {
    fn drop(&mut self) {
        lock(&self.all).remove(&self.collection);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
