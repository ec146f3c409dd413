//! Memory of this process.

/// Gives memory that the allocator keeps for later back to the system: loading a model and a long job leave some
/// hundred megabytes of it.
pub(crate) fn give_back() {
    // SAFETY: malloc_trim may be called at any time from any thread.
    unsafe { libc::malloc_trim(0) };
}
