//! Messages to the client that end nothing.

use pgrx::PgLogLevel;
use pgrx::pg_sys::panic::ErrorReport;

use crate::error::VbError;

/// Tells the client of something that went wrong and does not keep the statement from its end.
pub(crate) fn warn(error: VbError) {
    report(error, PgLogLevel::WARNING);
}

/// Tells the client of something worth knowing.
pub(crate) fn notice(error: VbError) {
    report(error, PgLogLevel::NOTICE);
}

fn report(error: VbError, level: PgLogLevel) {
    let mut report = ErrorReport::new(error.code, error.message, "vector_backfill");
    if let Some(detail) = error.detail {
        report = report.set_detail(detail);
    }
    if let Some(hint) = error.hint {
        report = report.set_hint(hint);
    }
    report.report(level);
}
