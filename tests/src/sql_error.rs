//! Why a statement gave no result, as the server said it.

use std::{fmt, io};

use crate::wire::Reader;

/// An error or a notice, with its fields as PostgreSQL names them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

impl SqlError {
    /// Reads the fields of an error or a notice.
    pub fn read(body: &[u8]) -> io::Result<Self> {
        let mut reader = Reader::new(body);
        let mut error = Self::default();
        loop {
            match reader.byte()? {
                0 => return Ok(error),
                b'S' => error.severity = reader.text()?,
                b'C' => error.code = reader.text()?,
                b'M' => error.message = reader.text()?,
                b'D' => error.detail = Some(reader.text()?),
                b'H' => error.hint = Some(reader.text()?),
                _ => drop(reader.text()?),
            }
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
    Sql(Box<SqlError>),
    /// The connection is gone.
    Lost(io::Error),
}

impl fmt::Display for CallError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sql(error) => error.fmt(out),
            Self::Lost(error) => write!(out, "the connection was lost: {error}"),
        }
    }
}

impl From<io::Error> for CallError {
    fn from(error: io::Error) -> Self {
        Self::Lost(error)
    }
}
