//! A flag that many threads can read and anyone holding it can raise, once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often whoever waits for a flag looks at it.
const POLL: Duration = Duration::from_millis(20);

/// Raised when the work it accompanies is no longer wanted. Never lowered again.
#[derive(Clone, Debug, Default)]
pub struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    /// Says that the work is no longer wanted.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the work is no longer wanted; long work asks between its steps.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns within a moment of the flag being raised.
    pub(crate) async fn raised(&self) {
        while !self.is_raised() {
            tokio::time::sleep(POLL).await;
        }
    }
}
