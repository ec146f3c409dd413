//! The statement that a session runs, as the log shows it.

use pgrx::pg_sys;

/// Keeps the present statement out of the log, where an error would show it: it holds something that nobody should read.
pub(crate) fn hide() {
    // SAFETY: a pointer to the text of the statement that this process runs, read when something is logged and set anew
    // by the next statement. Null means that there is none to show.
    unsafe { pg_sys::debug_query_string = std::ptr::null() };
}
