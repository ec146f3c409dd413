//! Turns ERRORs of Postgres into values.

use std::panic::AssertUnwindSafe;

use pgrx::PgTryBuilder;

use crate::error::{Result, VbError};

/// Runs the body; an ERROR raised in it, or a panic, comes back as a value without the Rust backtrace that pgrx adds.
///
/// The transaction is in a failed state after an ERROR: the caller must abort it or raise the error again.
pub(crate) fn catching<R>(body: impl FnOnce() -> Result<R>) -> Result<R> {
    PgTryBuilder::new(AssertUnwindSafe(body))
        .catch_others(|caught| Err(VbError::from(caught)))
        .catch_rust_panic(|caught| Err(VbError::from(caught)))
        .execute()
}

/// Runs the body of an SQL function: what it returns, or its error raised in Postgres.
pub(crate) fn respond<R>(body: impl FnOnce() -> Result<R>) -> R {
    match catching(body) {
        Ok(value) => value,
        Err(error) => error.raise(),
    }
}
