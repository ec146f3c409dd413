//! Builds the search index of large collections: one at a time, on a thread of its own and at a low priority.
//!
//! The engine can neither be asked to stop nor to pause. When the process ends in the middle, the half-built files are
//! left, and removed when the collection is opened again.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};

use super::blocking::suspecting;
use super::shard::Shard;
use crate::priority::Priority;
use crate::store::error::StoreError;

/// Hands out turns.
pub(super) struct IndexBuilder {
    turn: Arc<Mutex<()>>,
    niceness: i32,
}

/// The right to build. Turns are given in the order they were asked for.
pub(super) struct Turn(#[allow(dead_code, reason = "held, never looked at")] OwnedMutexGuard<()>);

impl IndexBuilder {
    pub(super) fn new(niceness: i32) -> Self {
        Self {
            turn: Arc::default(),
            niceness,
        }
    }

    /// Waits until nobody else builds. Whoever asks for a collection that is being built gets his turn afterwards and
    /// finds nothing left to do.
    pub(super) async fn turn(&self) -> Turn {
        Turn(Arc::clone(&self.turn).lock_owned().await)
    }

    /// Builds what the collection lacks. Goes on when the caller no longer waits.
    pub(super) async fn build(&self, turn: Turn, shard: Arc<Shard>) -> Result<(), StoreError> {
        let niceness = self.niceness;
        let (sender, receiver) = oneshot::channel();
        std::thread::Builder::new()
            .name("vb-index".into())
            .spawn(move || {
                // Others may want to search what it builds soon.
                Priority::Nice(niceness).take_on();
                let result = suspecting(&shard, build);
                drop(shard);
                drop(turn);
                // Nobody waits any more: fine.
                let _ = sender.send(result);
            })
            .map_err(|error| StoreError::Transient(format!("could not start a thread to build an index: {error}")))?;
        receiver
            .await
            .unwrap_or_else(|_| Err(StoreError::Transient("the index builder ended early".into())))
    }
}

fn build(shard: &Shard) -> Result<(), StoreError> {
    let began = Instant::now();
    if shard.build_index()? {
        log::info!(
            "indexed collection \"{}\" in {:.1} s",
            shard.collection(),
            began.elapsed().as_secs_f64()
        );
    }
    Ok(())
}
