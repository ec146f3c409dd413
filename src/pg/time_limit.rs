//! A bound to the time that statements of a worker take: those of a source run code of other people.

use std::time::{Duration, Instant};

use pgrx::{PgSqlErrorCode, pg_sys};

use super::catch::catching;
use crate::error::{Result, VbError};

/// Postgres' number of the timer of statement_timeout, which nothing else sets in a background worker. The same in all
/// versions from 9.6 on.
const STATEMENT_TIMEOUT: i32 = 3;

/// What Postgres says of a statement that was cancelled.
const CANCELLED: &str = "57014";

unsafe extern "C-unwind" {
    // pgrx has no bindings for timers. None of these raises an ERROR.
    fn enable_timeout_after(id: i32, milliseconds: i32);
    fn disable_timeout(id: i32, keep_indicator: bool);
    fn get_timeout_indicator(id: i32, reset: bool) -> bool;
}

/// Runs the body, which reads the source of this name, for at most so long. After an error the transaction, or the part of it
/// that this ran in, has to be aborted. For background workers only: sessions have a timer of their own.
pub(crate) fn reading<R>(source: &str, limit: Duration, body: impl FnOnce() -> Result<R>) -> Result<R> {
    let milliseconds = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX).max(1);
    let begun = Instant::now();
    // SAFETY: on the main thread of a worker that is connected to a database, where Postgres has registered this timer; it is
    // not running, since no reading is within another.
    unsafe { enable_timeout_after(STATEMENT_TIMEOUT, milliseconds) };
    let result = catching(body);
    // SAFETY: as above. The flag is this process' own; a cancellation that came too late must not meet another statement.
    unsafe {
        disable_timeout(STATEMENT_TIMEOUT, true);
        if get_timeout_indicator(STATEMENT_TIMEOUT, true) {
            pg_sys::QueryCancelPending = 0;
        }
    };
    match result {
        // Whoever is asked to end is cancelled as well.
        Err(error) if begun.elapsed() >= limit && error.sqlstate() == CANCELLED => Err(too_slow(source, limit)),
        result => result,
    }
}

fn too_slow(source: &str, limit: Duration) -> VbError {
    VbError::new(
        PgSqlErrorCode::ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
        format!(
            "reading {source} took longer than vector_backfill.source_timeout, {} s",
            limit.as_secs_f64()
        ),
    )
    .hint("Others wait meanwhile: make it faster, or read less at a time with vb_set_job(…, batch_size => …), then vb_resume.")
}
