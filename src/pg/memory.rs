//! Memory of this process.

use pgrx::PgMemoryContexts;

/// Gives memory that the allocator keeps for later back to the system: loading a model and a long job leave some
/// hundred megabytes of it.
pub(crate) fn give_back() {
    // SAFETY: malloc_trim may be called at any time from any thread.
    unsafe { libc::malloc_trim(0) };
}

/// Runs the body and frees what it made Postgres allocate, so that a loop needs no more memory than one of its rounds. What
/// the body returns has to be Rust's own: nothing that points to memory of Postgres.
pub(crate) fn scoped<R>(body: impl FnOnce() -> R) -> R {
    let mut context = PgMemoryContexts::new("vector_backfill round");
    // SAFETY: nothing that the body allocates outlives it, as callers see to. When an ERROR passes through, pgrx leaves the
    // context before it frees it.
    unsafe { context.switch_to(|_| body()) }
}
