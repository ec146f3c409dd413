//! Waiting for the next thing to do.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use pgrx::pg_sys;

/// Waits until the latch of this process is set (a signal, another backend), the file becomes readable, or the time is
/// over. Ends the process when the postmaster is gone. True when it was the latch.
pub(crate) fn wait(wake: Option<BorrowedFd<'_>>, timeout: Duration) -> bool {
    let mut events = pg_sys::WL_LATCH_SET | pg_sys::WL_TIMEOUT | pg_sys::WL_EXIT_ON_PM_DEATH;
    let mut socket = -1;
    if let Some(wake) = wake {
        events |= pg_sys::WL_SOCKET_READABLE;
        socket = wake.as_raw_fd();
    }
    // Rounded up: who wakes before the moment he waits for finds nothing to do. The system counts them in 32 bits.
    let milliseconds = i32::try_from(timeout.as_micros().div_ceil(1_000)).unwrap_or(i32::MAX);
    // SAFETY: MyLatch is this process' own latch, the descriptor outlives the call, and only the main thread waits.
    unsafe {
        let happened = pg_sys::WaitLatchOrSocket(
            pg_sys::MyLatch,
            events as i32,
            socket,
            i64::from(milliseconds),
            pg_sys::PG_WAIT_EXTENSION,
        );
        pg_sys::ResetLatch(pg_sys::MyLatch);
        happened as u32 & pg_sys::WL_LATCH_SET != 0
    }
}

/// Wakes the main loop of another process of this database, if it is one of ours and still there.
pub(crate) fn wake_process(pid: i32) {
    // SAFETY: BackendPidGetProc gives null or a slot of shared memory, whose latch stays valid for the server's life;
    // setting the latch of a process that has just ended does no harm.
    unsafe {
        let process = pg_sys::BackendPidGetProc(pid);
        if !process.is_null() {
            pg_sys::SetLatch(&raw mut (*process).procLatch);
        }
    }
}
