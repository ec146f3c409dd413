//! Batches in flight, and what is remembered of them when a worker dies.

use super::collections::Stage;
use super::installation::Installation;
use super::references;
use crate::error::{Result, VbError};
use crate::pg::spi;

/// A batch that was in flight when a worker died, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WaitingBatch {
    /// Its identity.
    pub(crate) id: i64,
    /// Its records.
    pub(crate) record_ids: Vec<String>,
    /// Which attempt comes next.
    pub(crate) attempt: i32,
    /// At how many crashes it was in flight.
    pub(crate) crashes: i32,
    /// Whether it runs alone, being part of a batch that was in flight at two crashes.
    pub(crate) suspect: bool,
}

/// Notes that a batch is in flight.
pub(crate) fn begin(installation: &Installation, job: i64, record_ids: &[String], attempt: i32) -> Result<i64> {
    spi::first(
        &installation.sql(include_str!("../../sql/query/batch_begin.sql")),
        &[job.into(), record_ids.to_vec().into(), attempt.into()],
        |row| row.get(1),
    )?
    .ok_or_else(|| VbError::internal("a batch was not recorded"))
}

/// Notes that a waiting batch is in flight again, perhaps with fewer records.
pub(crate) fn resume(installation: &Installation, batch: i64, record_ids: &[String]) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/batch_resume.sql")),
        &[batch.into(), record_ids.to_vec().into()],
    )
    .map(|_| ())
}

/// Forgets a batch that has ended.
pub(crate) fn end(installation: &Installation, batch: i64) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/batch_end.sql")),
        &[batch.into()],
    )
    .map(|_| ())
}

/// Takes over what a former worker left in flight.
pub(crate) fn inherit(installation: &Installation) -> Result<u64> {
    doubt(installation)?;
    spi::run(
        &installation.sql(include_str!("../../sql/query/batches_inherit.sql")),
        &[],
    )
}

/// Leaves nothing in flight, since this worker ends in peace.
pub(crate) fn release(installation: &Installation) -> Result<()> {
    doubt(installation)?;
    spi::run(
        &installation.sql(include_str!("../../sql/query/batches_release.sql")),
        &[],
    )?;
    spi::run(
        &installation.sql(include_str!("../../sql/query/batches_release_suspects.sql")),
        &[],
    )
    .map(|_| ())
}

/// What batches in flight may have written, and nobody recorded, is made again.
fn doubt(installation: &Installation) -> Result<()> {
    for stage in [Stage::Serving, Stage::Building] {
        let statement = references::sql(installation, stage, include_str!("../../sql/query/batches_doubt.sql"));
        spi::run(&statement, &[(stage == Stage::Building).into()])?;
    }
    Ok(())
}

/// Batches of a job that wait to run again.
pub(crate) fn waiting(installation: &Installation, job: i64) -> Result<Vec<WaitingBatch>> {
    spi::rows(
        &installation.sql(include_str!("../../sql/query/batches_waiting.sql")),
        &[job.into()],
        |row| {
            Ok(WaitingBatch {
                id: row.get(1)?,
                record_ids: row.get(2)?,
                attempt: row.get(3)?,
                crashes: row.get(4)?,
                suspect: row.get(5)?,
            })
        },
    )
}

/// Replaces a batch that was in flight at two crashes by its two halves, which run alone.
pub(crate) fn halve(installation: &Installation, job: i64, batch: WaitingBatch) -> Result<Vec<WaitingBatch>> {
    let statement = installation.sql(include_str!("../../sql/query/batch_split.sql"));
    let (first, second) = batch.record_ids.split_at(batch.record_ids.len().div_ceil(2));
    let mut halves = Vec::with_capacity(2);
    for half in [first, second] {
        let (id, crashes) = spi::first(
            &statement,
            &[job.into(), half.to_vec().into(), batch.attempt.into()],
            |row| Ok((row.get(1)?, row.get(2)?)),
        )?
        .ok_or_else(|| VbError::internal("half a batch was not recorded"))?;
        halves.push(WaitingBatch {
            id,
            record_ids: half.to_vec(),
            attempt: batch.attempt,
            crashes,
            suspect: true,
        });
    }
    end(installation, batch.id)?;
    Ok(halves)
}

/// Forgets waiting batches of jobs that have ended.
pub(crate) fn forget_ended(installation: &Installation) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/batches_of_ended_jobs.sql")),
        &[],
    )
    .map(|_| ())
}
