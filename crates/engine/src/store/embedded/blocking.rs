//! Keeps the engine's work off the threads that serve others, and its panics from spreading.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::shard::Shard;
use crate::store::error::StoreError;

/// Runs the work on a thread that may block. A panic becomes a transient error.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let caught = tokio::task::spawn_blocking(move || catching(work));
    caught
        .await
        .unwrap_or_else(|_| Err(StoreError::Transient("the process is shutting down".into())))
}

/// Runs the work on a collection, on a thread that may block. The collection stays open as long, and a panic makes it
/// suspect: it is opened afresh before anyone uses it again.
pub(super) async fn on_shard<T: Send + 'static>(
    shard: Arc<Shard>,
    work: impl FnOnce(&Shard) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    blocking(move || suspecting(&shard, work)).await
}

/// Runs the work on this thread; a panic makes the collection suspect.
pub(super) fn suspecting<T>(
    shard: &Shard,
    work: impl FnOnce(&Shard) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(|| work(shard))) {
        Ok(result) => result,
        Err(_) => {
            shard.suspect();
            Err(panicked())
        }
    }
}

fn catching<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(panicked()))
}

fn panicked() -> StoreError {
    StoreError::Transient("the vector engine panicked; its message is in the log".into())
}
