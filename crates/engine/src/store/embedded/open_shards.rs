//! Opens collections when they are needed and closes those that nobody used for longest.
//!
//! Whoever works on a collection holds an `Arc` of it. The map holds one as well; new ones are made only under the map's
//! lock, so a collection whose `Arc` is the only one there is can be closed without anyone noticing.
//!
//! Opening, making, dropping and closing happen one at a time: two openings of the same files must never overlap.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

use super::blocking::blocking;
use super::directory::StoreDirectory;
use super::shard::Shard;
use crate::store::contract::CollectionSpec;
use crate::store::error::StoreError;
use crate::store::name::check_name;

/// Collections that are closed at the same time at the end.
const CLOSED_AT_A_TIME: usize = 8;

/// The collections of a store that are open.
pub(super) struct OpenShards {
    directory: Arc<StoreDirectory>,
    max_open: usize,
    open: Mutex<Open>,
    /// Held by whoever opens, makes, drops or closes.
    changing: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Open {
    shards: HashMap<String, Arc<Shard>>,
    /// Counts uses.
    clock: u64,
    /// Whether the store was closed.
    closed: bool,
}

impl Open {
    fn check_open(&self) -> Result<(), StoreError> {
        if self.closed {
            Err(StoreError::Transient("the vector store is closed".into()))
        } else {
            Ok(())
        }
    }

    /// The collection if it is open and sound.
    fn get(&mut self, name: &str) -> Result<Option<Arc<Shard>>, StoreError> {
        self.check_open()?;
        let Some(shard) = self.shards.get(name).filter(|shard| !shard.is_suspect()) else {
            return Ok(None);
        };
        self.clock += 1;
        shard.last_used.store(self.clock, Ordering::Relaxed);
        Ok(Some(Arc::clone(shard)))
    }

    fn insert(&mut self, name: &str, shard: &Arc<Shard>) -> Result<(), StoreError> {
        self.check_open()?;
        self.clock += 1;
        shard.last_used.store(self.clock, Ordering::Relaxed);
        self.shards.insert(name.to_owned(), Arc::clone(shard));
        Ok(())
    }

    /// Takes out the collection that nobody uses and that nobody used for longest, if more than `most` are open.
    fn take_idle(&mut self, most: usize) -> Option<Arc<Shard>> {
        if self.shards.len() <= most {
            return None;
        }
        let idle = self.shards.iter().filter(|(_, shard)| Arc::strong_count(shard) == 1);
        let name = idle
            .min_by_key(|(_, shard)| shard.last_used.load(Ordering::Relaxed))?
            .0
            .clone();
        self.shards.remove(&name)
    }
}

impl OpenShards {
    pub(super) fn new(directory: Arc<StoreDirectory>, max_open: usize) -> Self {
        Self {
            directory,
            max_open,
            open: Mutex::default(),
            changing: Arc::default(),
        }
    }

    pub(super) fn directory(&self) -> Arc<StoreDirectory> {
        Arc::clone(&self.directory)
    }

    /// The collection, opened if it is not; it stays open as long as the caller has it.
    pub(super) async fn lease(self: &Arc<Self>, name: &str) -> Result<Arc<Shard>, StoreError> {
        check_name(name)?;
        if let Some(shard) = self.open.lock().get(name)? {
            return Ok(shard);
        }
        let name = name.to_owned();
        self.change(move |shards| match shards.find_or_open(&name)? {
            Some(shard) => Ok(shard),
            None => Err(StoreError::NoCollection(name)),
        })
        .await
    }

    /// The collection, made if it is missing.
    pub(super) async fn create(self: &Arc<Self>, spec: &CollectionSpec) -> Result<Arc<Shard>, StoreError> {
        check_name(&spec.name)?;
        let spec = spec.clone();
        self.change(move |shards| {
            if let Some(shard) = shards.find_or_open(&spec.name)? {
                return Ok(shard);
            }
            if spec.dimensions == 0 {
                let name = &spec.name;
                return Err(StoreError::Configuration(format!(
                    "collection \"{name}\" cannot have 0 dimensions"
                )));
            }
            shards.directory.create(&spec.name, |path| Shard::create(path, &spec))?;
            shards
                .find_or_open(&spec.name)?
                .ok_or(StoreError::NoCollection(spec.name))
        })
        .await
    }

    /// Removes the collection. Whoever still works on it does so on files without a name, and loses them at the end.
    pub(super) async fn drop_collection(self: &Arc<Self>, name: &str) -> Result<(), StoreError> {
        check_name(name)?;
        let name = name.to_owned();
        self.change(move |shards| {
            let open = {
                let mut open = shards.open.lock();
                open.check_open()?;
                open.shards.remove(&name)
            };
            let removed = shards.directory.remove(&name);
            drop(open);
            removed
        })
        .await
    }

    /// Makes all collections durable and closes them, except those that are in use; refuses everything afterwards.
    pub(super) async fn close(self: &Arc<Self>) {
        self.open.lock().closed = true;
        let closed = self.change(|shards| {
            let open = std::mem::take(&mut shards.open.lock().shards);
            close_all(open.into_values());
            Ok(())
        });
        if let Err(error) = closed.await {
            log::error!("closing the vector store: {error}");
        }
    }

    /// Does something that must not overlap with its like, on a thread that may block. Goes on to its end when the caller
    /// no longer waits.
    async fn change<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let changing: OwnedMutexGuard<()> = Arc::clone(&self.changing).lock_owned().await;
        let shards = Arc::clone(self);
        blocking(move || {
            let _changing = changing;
            work(&shards)
        })
        .await
    }

    /// The collection if it exists. Only while `changing` is held.
    fn find_or_open(&self, name: &str) -> Result<Option<Arc<Shard>>, StoreError> {
        if let Some(shard) = self.open.lock().get(name)? {
            return Ok(Some(shard));
        }
        // One that is suspect: its files are free as soon as nobody works on it any more, until then opening fails.
        let suspect = self.open.lock().shards.remove(name);
        drop(suspect);
        let Some(path) = self.directory.find(name)? else {
            return Ok(None);
        };
        while let Some(idle) = self.take_idle() {
            close(idle);
        }
        let shard = Arc::new(Shard::open(name, path, self.directory())?);
        self.open.lock().insert(name, &shard)?;
        Ok(Some(shard))
    }

    fn take_idle(&self) -> Option<Arc<Shard>> {
        self.open.lock().take_idle(self.max_open - 1)
    }
}

/// Closes collections, several at a time: each waits for the disk most of the time.
fn close_all(shards: impl Iterator<Item = Arc<Shard>> + Send) {
    let shards = Mutex::new(shards);
    let next = || shards.lock().next();
    let close_some = || {
        while let Some(shard) = next() {
            close(shard);
        }
    };
    thread::scope(|scope| {
        for _ in 1..CLOSED_AT_A_TIME {
            // Without more threads this one does it alone.
            let _ = thread::Builder::new()
                .name("vb-close".into())
                .spawn_scoped(scope, close_some);
        }
        close_some();
    });
}

/// Closes a collection. What could not be made durable was not acknowledged to anyone, and its log may still have it.
fn close(shard: Arc<Shard>) {
    if let Err(error) = shard.flush() {
        log::error!("closing collection \"{}\": {error}", shard.collection());
    }
}
