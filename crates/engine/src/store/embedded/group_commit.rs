//! Lets flushes of one collection that are asked for at the same time share one.
//!
//! Flushes are numbered as they begin. Whoever asks waits for a flush that begins after the asking, and takes its result,
//! good or bad, as his own: everything he wrote was written before it began. So while one flush runs, all who ask gather
//! and the next one serves them together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

use super::blocking::{blocking, suspecting};
use super::shard::Shard;
use crate::store::error::StoreError;

/// The flushes of one collection.
#[derive(Default)]
pub(super) struct GroupCommit {
    /// Flushes that have begun.
    begun: AtomicU64,
    /// Held while one runs.
    latest: Arc<Mutex<Latest>>,
}

/// The latest flush that ended.
struct Latest {
    number: u64,
    result: Result<(), StoreError>,
}

impl Default for Latest {
    fn default() -> Self {
        Self {
            number: 0,
            result: Ok(()),
        }
    }
}

/// Makes durable what was written to the collection before this call.
pub(super) async fn flush(shard: Arc<Shard>) -> Result<(), StoreError> {
    share(Arc::clone(&shard.group_commit), move || {
        suspecting(&shard, Shard::flush)
    })
    .await
}

async fn share(
    commit: Arc<GroupCommit>,
    flush: impl FnOnce() -> Result<(), StoreError> + Send + 'static,
) -> Result<(), StoreError> {
    let before = commit.begun.load(Ordering::SeqCst);
    // Owned, so that the lock goes with the flush when the caller gives up waiting.
    let mut latest = Arc::clone(&commit.latest).lock_owned().await;
    if latest.number > before {
        return latest.result.clone();
    }
    blocking(move || {
        let number = commit.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let result = flush();
        *latest = Latest {
            number,
            result: result.clone(),
        };
        result
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A commit whose first flush waits to be let go, and the number of flushes that ran.
    #[tokio::test]
    async fn flushes_asked_for_while_one_runs_share_the_next() {
        let commit = Arc::new(GroupCommit::default());
        let ran = Arc::new(AtomicU64::new(0));
        let (began, has_begun) = mpsc::channel();
        let (let_go, wait) = mpsc::channel::<()>();

        let first = tokio::spawn(share(Arc::clone(&commit), {
            let ran = Arc::clone(&ran);
            move || {
                began.send(()).unwrap();
                wait.recv().unwrap();
                ran.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }
        }));
        tokio::task::spawn_blocking(move || has_begun.recv().unwrap())
            .await
            .unwrap();

        let waiting: Vec<_> = (0..20)
            .map(|_| {
                let ran = Arc::clone(&ran);
                let mut asking = Box::pin(share(Arc::clone(&commit), move || {
                    ran.fetch_add(1, Ordering::SeqCst);
                    Err(StoreError::Transient("the second flush failed".into()))
                }));
                // Asked now, while the first runs.
                assert!(poll_once(&mut asking).is_pending());
                asking
            })
            .collect();
        let_go.send(()).unwrap();

        first.await.unwrap().unwrap();
        for one in waiting {
            // All of them were in the flush that failed, so none may believe to be safe.
            assert!(one.await.is_err());
        }
        assert_eq!(ran.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_flush_that_ended_before_the_asking_satisfies_nobody() {
        let commit = Arc::new(GroupCommit::default());
        let ran = Arc::new(AtomicU64::new(0));
        for _ in 0..3 {
            let ran = Arc::clone(&ran);
            share(Arc::clone(&commit), move || {
                ran.fetch_add(1, Ordering::SeqCst);
                Ok(())
            })
            .await
            .unwrap();
        }
        assert_eq!(ran.load(Ordering::SeqCst), 3);
    }

    fn poll_once<F: Future + Unpin>(future: &mut F) -> std::task::Poll<F::Output> {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        std::pin::Pin::new(future).poll(&mut context)
    }
}
