//! Holds whoever comes until the test lets them go, and tells the test that they came.

use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use tokio::sync::Semaphore;

/// Longer than anything in these tests takes; only a failing test waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A gate, closed at first.
pub(crate) struct Gate {
    arrived: (Sender<()>, Receiver<()>),
    permits: Semaphore,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            arrived: unbounded(),
            permits: Semaphore::new(0),
        }
    }
}

impl Gate {
    /// Called by those who are held.
    pub(crate) async fn pass(&self) {
        self.arrived.0.send(()).unwrap();
        self.permits.acquire().await.unwrap().forget();
    }

    /// Waits until somebody stands at the gate.
    pub(crate) fn wait_for_arrival(&self) {
        self.arrived.1.recv_timeout(PATIENCE).expect("nobody came to the gate");
    }

    /// Lets all pass from now on.
    pub(crate) fn open(&self) {
        self.permits.add_permits(1_000_000);
    }
}
