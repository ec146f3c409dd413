//! Dead letters: records that a job set aside, each with the reason.

use vb_engine::batch::FailureClass;

use super::installation::Installation;
use super::jobs::{self, Advance};
use crate::error::Result;
use crate::pg::spi;

/// Why a record was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorClass {
    /// Reading its row fails.
    Source,
    /// The provider refuses its text.
    Record,
    /// It failed again and again in a way that may pass, while others did not.
    Transient,
    /// It was in flight whenever the worker crashed.
    Crash,
}

impl ErrorClass {
    /// For a record that failed in this way.
    pub(crate) fn of(class: FailureClass) -> Self {
        match class {
            FailureClass::Throttled | FailureClass::Transient => Self::Transient,
            FailureClass::Record | FailureClass::Configuration => Self::Record,
        }
    }

    /// The name in `vb_job_errors`.
    fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Record => "record",
            Self::Transient => "transient",
            Self::Crash => "crash",
        }
    }
}

/// A record to set aside.
#[derive(Debug)]
pub(crate) struct DeadLetter {
    /// Its key as text.
    pub(crate) record_id: String,
    /// Hash of the text that failed; `None` when no text could be read.
    pub(crate) content_hash: Option<Vec<u8>>,
    /// What was wrong.
    pub(crate) message: String,
}

/// Sets records aside and counts them as failed.
pub(crate) fn set_aside(
    installation: &Installation,
    job: i64,
    class: ErrorClass,
    attempts: i32,
    letters: Vec<DeadLetter>,
) -> Result<()> {
    if letters.is_empty() {
        return Ok(());
    }
    jobs::lock(installation, job)?;
    let failed = insert(installation, job, class, attempts, letters)?;
    let advance = Advance {
        failed,
        ..Advance::default()
    };
    jobs::advance(installation, job, &advance)
}

/// Sets records aside whose job is locked; returns how many were not set aside already.
pub(crate) fn insert(
    installation: &Installation,
    job: i64,
    class: ErrorClass,
    attempts: i32,
    letters: Vec<DeadLetter>,
) -> Result<i64> {
    let mut record_ids = Vec::with_capacity(letters.len());
    let mut hashes = Vec::with_capacity(letters.len());
    let mut messages = Vec::with_capacity(letters.len());
    for letter in letters {
        record_ids.push(letter.record_id);
        hashes.push(letter.content_hash);
        messages.push(letter.message);
    }
    let new = spi::rows(
        &installation.sql(include_str!("../../sql/query/errors_insert.sql")),
        &[
            job.into(),
            class.as_str().into(),
            attempts.into(),
            record_ids.into(),
            hashes.into(),
            messages.into(),
        ],
        |row| row.get::<bool>(1),
    )?;
    Ok(new.into_iter().filter(|is_new| *is_new).count() as i64)
}

/// Takes records back that are no longer at fault; returns how many there were.
pub(crate) fn resolve(installation: &Installation, job: i64, record_ids: Vec<String>) -> Result<i64> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/errors_resolve.sql")),
        &[job.into(), record_ids.into()],
    )
    .map(|count| count as i64)
}
