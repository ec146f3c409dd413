//! What is still to be done when a transaction of a session ends.

use std::sync::Once;

use pgrx::pg_guard;
use pgrx::pg_sys::{self, XactEvent};

use super::catch::respond;
use crate::error::Result;

static REGISTERED: Once = Once::new();

/// What to do at the end of each transaction of this process.
pub(crate) trait AtEnd {
    /// It is about to commit, or to be prepared: statements are still possible, and an error makes it fail.
    fn before_commit() -> Result<()>;

    /// It is over, one way or the other. Must not raise an ERROR.
    fn after();
}

/// Sees to it from now on; later calls change nothing. One type only.
pub(crate) fn register<T: AtEnd>() {
    REGISTERED.call_once(|| {
        // SAFETY: the callback is a plain function that lives as long as the process, registered once.
        unsafe { pg_sys::RegisterXactCallback(Some(ends::<T>), std::ptr::null_mut()) };
    });
}

#[pg_guard]
unsafe extern "C-unwind" fn ends<T: AtEnd>(event: XactEvent::Type, _argument: *mut std::ffi::c_void) {
    match event {
        XactEvent::XACT_EVENT_PRE_COMMIT | XactEvent::XACT_EVENT_PRE_PREPARE => respond(T::before_commit),
        XactEvent::XACT_EVENT_COMMIT | XactEvent::XACT_EVENT_ABORT | XactEvent::XACT_EVENT_PREPARE => T::after(),
        _ => {}
    }
}

/// Runs the body in a transaction that may have been set to read only after it has written.
pub(crate) fn writing<R>(body: impl FnOnce() -> R) -> R {
    struct Former(bool);
    impl Drop for Former {
        fn drop(&mut self) {
            // SAFETY: a variable of this process, changed on its main thread.
            unsafe { pg_sys::XactReadOnly = self.0 };
        }
    }
    // SAFETY: as above; what is written belongs to what the transaction has written before.
    let _former = unsafe {
        let former = Former(pg_sys::XactReadOnly);
        pg_sys::XactReadOnly = false;
        former
    };
    body()
}
