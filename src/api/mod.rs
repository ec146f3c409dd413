//! The SQL functions, as `sql/schema/70_functions.sql` declares them: they take arguments apart and put results together.
//! What they do is in [`crate::catalog`] and [`crate::worker::service`].
//!
//! No function is strict: a NULL where a value is needed is an error that names the argument.

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::Oid;

use crate::error::{Result, VbError};
use crate::pg::notice;
use crate::worker::service::presence;

mod jobs;
mod providers;
mod search;
mod sources;
mod status;

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

/// A source, which must not be NULL. A relation that does not exist is found out later.
fn required_source(source: Option<Oid>) -> Result<Oid> {
    required(source, "source")
}

/// Has the worker look for work when this transaction commits. What was written stays, whether there is a worker or not.
fn wake_worker_or_warn() {
    if let Err(error) = presence::wake_at_commit() {
        notice::warn(error.detail("What was asked for is kept and begins as soon as a worker runs."));
    }
}
