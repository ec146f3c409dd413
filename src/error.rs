//! The one error of the extension: SQLSTATE, what is wrong, and what to do about it.

use pgrx::pg_sys::panic::{CaughtError, ErrorReport, ErrorReportWithLevel};
use pgrx::{PgLogLevel, PgSqlErrorCode, spi};
use vb_formats::template::TemplateError;

/// What a user or an operator is told. Nothing in it may be a secret.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub(crate) struct VbError {
    /// SQLSTATE.
    pub(crate) code: PgSqlErrorCode,
    /// Names the thing that is wrong.
    pub(crate) message: String,
    /// More about it, if there is more.
    pub(crate) detail: Option<String>,
    /// What to do.
    pub(crate) hint: Option<String>,
}

/// Short for results of this crate.
pub(crate) type Result<T> = std::result::Result<T, VbError>;

impl VbError {
    /// An error with its SQLSTATE and message.
    pub(crate) fn new(code: PgSqlErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            detail: None,
            hint: None,
        }
    }

    /// A wrong argument.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message)
    }

    /// Something named does not exist.
    pub(crate) fn missing(message: impl Into<String>) -> Self {
        Self::new(PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT, message)
    }

    /// Something is in a state that does not allow what was asked.
    pub(crate) fn wrong_state(message: impl Into<String>) -> Self {
        Self::new(PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, message)
    }

    /// The caller lacks a right.
    pub(crate) fn denied(message: impl Into<String>) -> Self {
        Self::new(PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE, message)
    }

    /// Work that this worker stopped for a reason of its own, and that is still to be done. Statements that somebody
    /// cancels have another SQLSTATE.
    pub(crate) fn interrupted(message: impl Into<String>) -> Self {
        Self::new(PgSqlErrorCode::ERRCODE_OPERATOR_INTERVENTION, message)
    }

    /// Something that should not happen.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(PgSqlErrorCode::ERRCODE_INTERNAL_ERROR, message)
    }

    /// Adds more about the error.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The five characters of the SQLSTATE.
    pub(crate) fn sqlstate(&self) -> String {
        // Postgres packs each character into six bits, least significant first, offset from '0'.
        let packed = self.code as u32;
        (0..5)
            .map(|position| char::from((((packed >> (6 * position)) & 0x3f) as u8) + b'0'))
            .collect()
    }

    /// Raises this error in Postgres.
    pub(crate) fn raise(self) -> ! {
        let mut report = ErrorReport::new(self.code, self.message, "vector_backfill");
        if let Some(detail) = self.detail {
            report = report.set_detail(detail);
        }
        if let Some(hint) = self.hint {
            report = report.set_hint(hint);
        }
        report.report(PgLogLevel::ERROR);
        unreachable!("an error report does not return")
    }
}

impl From<CaughtError> for VbError {
    fn from(caught: CaughtError) -> Self {
        match caught {
            CaughtError::PostgresError(report) | CaughtError::ErrorReport(report) => from_report(&report),
            CaughtError::RustPanic { ereport, .. } => from_report(&ereport),
        }
    }
}

/// The longest text of an error that others raised, in letters: it is kept with jobs and records.
const LONGEST_TEXT: usize = 2_000;

fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

/// Keeps what is for users and leaves out the Rust backtrace that pgrx would put into the detail.
fn from_report(report: &ErrorReportWithLevel) -> VbError {
    let code = match report.sql_error_code() {
        // With this one we say that we stopped work of our own: code of other people cannot.
        PgSqlErrorCode::ERRCODE_OPERATOR_INTERVENTION => PgSqlErrorCode::ERRCODE_RAISE_EXCEPTION,
        code => code,
    };
    VbError {
        code,
        message: shortened(report.message()),
        detail: report.detail().map(shortened),
        hint: report.hint().map(shortened),
    }
}

impl From<TemplateError> for VbError {
    fn from(error: TemplateError) -> Self {
        Self::invalid(error.to_string()).hint(error.hint())
    }
}

impl From<spi::Error> for VbError {
    fn from(error: spi::Error) -> Self {
        Self::internal(format!("a query of vector_backfill failed: {error}"))
    }
}
