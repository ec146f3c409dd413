//! Hands outcomes to the thread that owns the engine and wakes it.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, unbounded};

use crate::batch::Outcome;

/// The engine's end. One byte is written to the wake socket after each outcome.
#[derive(Debug, Clone)]
pub(super) struct OutcomeSender {
    channel: Sender<(u64, Outcome)>,
    wake: Arc<UnixStream>,
}

impl OutcomeSender {
    /// Both ends. `wake` must be nonblocking. The channel holds at most one outcome for each batch in flight.
    pub(super) fn new(wake: UnixStream) -> (Self, Receiver<(u64, Outcome)>) {
        let (channel, receiver) = unbounded();
        (
            Self {
                channel,
                wake: Arc::new(wake),
            },
            receiver,
        )
    }

    /// Sends the outcome of the submission with this number.
    pub(super) fn send(&self, number: u64, outcome: Outcome) {
        if self.channel.send((number, outcome)).is_ok() {
            self.wake();
        }
    }

    /// Wakes the owner.
    pub(super) fn wake(&self) {
        // A full socket has woken him already, and a closed one has no owner to wake.
        let _ = (&*self.wake).write(&[1]);
    }
}
