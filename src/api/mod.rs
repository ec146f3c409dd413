//! The SQL functions, as `sql/schema/70_functions.sql` declares them: they take arguments apart and put results
//! together. What they do is in [`crate::catalog`] and [`crate::worker::service`].
//!
//! No function is strict: a NULL where a value is needed is an error that names the argument.

use pgrx::PgSqlErrorCode;

use crate::catalog::installation::Installation;
use crate::error::{Result, VbError};
use crate::pg::{notice, process};
use crate::worker::service::presence;

mod access;
mod hours;
mod jobs;
mod plan;
mod providers;
mod search;
mod sources;
mod status;
mod store;
mod sync;

/// An argument that must not be NULL.
fn required<T>(value: Option<T>, argument: &str) -> Result<T> {
    value.ok_or_else(|| {
        VbError::new(
            PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
            format!("{argument} must not be NULL"),
        )
        .hint(format!("Give a value for {argument}."))
    })
}

/// The extension, for what writes or needs the worker: a standby can do neither.
fn on_primary() -> Result<Installation> {
    if process::is_in_recovery() {
        return Err(VbError::new(
            PgSqlErrorCode::ERRCODE_READ_ONLY_SQL_TRANSACTION,
            "vector_backfill does not work on a standby",
        )
        .hint("Ask on the primary server; here are vb_progress and the views."));
    }
    Installation::require()
}

/// Has the worker look for work when this transaction commits. What was written stays, worker or not.
fn announce_work() {
    if let Err(error) = presence::announce_work() {
        notice::warn(error.detail("What was asked for is kept and begins as soon as a worker runs."));
    }
}
