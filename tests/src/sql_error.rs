//! Why a statement gave no result, as the server said it.

use std::error::Error;
use std::fmt;

use postgres::error::DbError;

/// An error or a notice, with its fields as PostgreSQL names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlError {
    /// `ERROR`, `FATAL`, `NOTICE`, …
    pub severity: String,
    /// SQLSTATE.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// More about it.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl From<&DbError> for SqlError {
    fn from(error: &DbError) -> Self {
        Self {
            severity: error.severity().to_owned(),
            code: error.code().code().to_owned(),
            message: error.message().to_owned(),
            detail: error.detail().map(str::to_owned),
            hint: error.hint().map(str::to_owned),
        }
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}: {}", self.severity, self.code, self.message)?;
        if let Some(detail) = &self.detail {
            write!(out, "; detail: {detail}")?;
        }
        if let Some(hint) = &self.hint {
            write!(out, "; hint: {hint}")?;
        }
        Ok(())
    }
}

/// Why a call gave no result.
#[derive(Debug)]
pub enum CallError {
    /// The server refused; the connection stays usable unless it was fatal.
    Sql(SqlError),
    /// The server gave no answer: the connection is gone. Or nobody asked it, since a value has another type in SQL.
    Lost(postgres::Error),
}

impl fmt::Display for CallError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sql(error) => error.fmt(out),
            Self::Lost(error) => match error.source() {
                Some(source) => write!(out, "{error}: {source}"),
                None => error.fmt(out),
            },
        }
    }
}

impl From<postgres::Error> for CallError {
    fn from(error: postgres::Error) -> Self {
        match error.as_db_error() {
            Some(refusal) => Self::Sql(refusal.into()),
            None => Self::Lost(error),
        }
    }
}
