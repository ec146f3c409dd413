//! Transactions of a background worker: commit on `Ok`, abort on `Err`, and every ERROR as a value.

use pgrx::pg_sys;

use super::catch::catching;
use crate::error::Result;

/// Runs the body in a transaction of its own, in a worker that has none open. When this returns, no transaction is open and
/// no snapshot is held.
pub(crate) fn run<R>(body: impl FnOnce() -> Result<R>) -> Result<R> {
    let result = catching(|| {
        // SAFETY: on the main thread of a worker that is connected to a database and has no transaction open.
        unsafe {
            pg_sys::SetCurrentStatementStartTimestamp();
            pg_sys::StartTransactionCommand();
            pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
        }
        let value = body()?;
        // SAFETY: ends what was begun above; the body has left its own SPI connections and snapshots.
        unsafe {
            pg_sys::PopActiveSnapshot();
            pg_sys::CommitTransactionCommand();
        }
        Ok(value)
    });
    // SAFETY: aborting is what Postgres' own loops do after an ERROR, wherever in the transaction it happened; it
    // also restores the user and releases locks. Statistics may be reported whenever no transaction is open.
    unsafe {
        if result.is_err() {
            pg_sys::AbortCurrentTransaction();
        }
        pg_sys::pgstat_report_stat(false);
    }
    result
}

/// Runs the body within the present transaction such that its failure leaves that usable: what it did is taken back.
pub(crate) fn attempt<R>(body: impl FnOnce() -> Result<R>) -> Result<R> {
    // SAFETY: in a transaction on the main thread. Context and resource owner are put back below, as every caller of
    // internal subtransactions does; they outlive the subtransaction.
    let (context, owner) = unsafe {
        let former = (pg_sys::CurrentMemoryContext, pg_sys::CurrentResourceOwner);
        pg_sys::BeginInternalSubTransaction(std::ptr::null());
        pg_sys::MemoryContextSwitchTo(former.0);
        former
    };
    let result = catching(body);
    // SAFETY: ends the subtransaction begun above; after an ERROR, rolling back is all that may be done with it.
    unsafe {
        if result.is_ok() {
            pg_sys::ReleaseCurrentSubTransaction();
        } else {
            pg_sys::RollbackAndReleaseCurrentSubTransaction();
        }
        pg_sys::MemoryContextSwitchTo(context);
        pg_sys::CurrentResourceOwner = owner;
    }
    result
}

/// Whether the present transaction goes on to see the database as it was when it began.
pub(crate) fn keeps_its_snapshot() -> bool {
    // SAFETY: reads a variable of this process.
    unsafe { pg_sys::XactIsoLevel >= pg_sys::XACT_REPEATABLE_READ as i32 }
}

/// Whether the transaction with this id is the current one or a part of it that has not been rolled back.
pub(crate) fn is_current(id: pg_sys::TransactionId) -> bool {
    // SAFETY: reads the state of this process' transaction.
    unsafe { pg_sys::TransactionIdIsCurrentTransactionId(id) }
}

/// Runs the body when the current transaction has committed. The body must not be able to raise an ERROR or to panic:
/// there is nothing left to roll back, so the server would restart.
pub(crate) fn after_commit(body: impl FnOnce() + std::panic::UnwindSafe + std::panic::RefUnwindSafe + 'static) {
    pgrx::register_xact_callback(pgrx::PgXactCallbackEvent::Commit, body);
}
