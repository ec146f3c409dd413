//! How sources are kept in step: what became of changes, and what is still to be looked at.

use std::time::Duration;

use pgrx::datum::{Interval, TimestampWithTimeZone};
use pgrx::pg_sys::Oid;

use super::access::{self, Level, Sight};
use super::installation::Installation;
use crate::error::Result;
use crate::pg::{role, spi};

/// What became of changes, and how long that took since they were committed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Applied {
    /// How many.
    pub(crate) records: i64,
    /// Half of them took no longer.
    pub(crate) p50: Duration,
    /// Nineteen of twenty took no longer.
    pub(crate) p95: Duration,
    /// None took longer.
    pub(crate) max: Duration,
}

/// Counts changes that were applied.
pub(crate) fn applied(installation: &Installation, source: Oid, applied: &Applied) -> Result<()> {
    let interval = |duration: Duration| Interval::from_micros(duration.as_micros() as i64);
    spi::run(
        &installation.sql(include_str!("../../sql/query/syncs_applied.sql")),
        &[
            source.into(),
            applied.records.into(),
            interval(applied.p50).into(),
            interval(applied.p95).into(),
            interval(applied.max).into(),
        ],
    )
    .map(|_| ())
}

/// How a source is kept in step, for people.
#[derive(Debug)]
pub(crate) struct SyncStatus {
    /// The source.
    pub(crate) source: Oid,
    /// Changes that are still to be looked at.
    pub(crate) pending: i64,
    /// How long the first of them has waited.
    pub(crate) oldest_pending: Option<Interval>,
    /// Changes that were.
    pub(crate) applied: i64,
    /// Records that were set aside.
    pub(crate) failed: i64,
    /// When the last change was applied.
    pub(crate) last_applied_at: Option<TimestampWithTimeZone>,
    /// The vectors that are kept in step.
    pub(crate) vector_types: Vec<String>,
    /// How long changes took lately.
    pub(crate) latencies: [Option<Interval>; 3],
    /// Why nothing moves, when nothing does.
    pub(crate) trouble: Option<String>,
}

/// All of them, for those who see what all clients together have; texts only for those who may read it.
pub(crate) fn status(installation: &Installation) -> Result<Vec<SyncStatus>> {
    let sight = Sight::of_caller(installation)?;
    if !sight.sees_all() {
        access::require_all(installation, Level::Read, "see how all sources are kept in step")?;
    }
    let mut all = role::as_owner(installation.owner, || read(installation))?;
    if !sight.reads_all {
        for one in &mut all {
            one.trouble = one
                .trouble
                .take()
                .map(|_| "for roles that may read all clients".to_owned());
        }
    }
    Ok(all)
}

fn read(installation: &Installation) -> Result<Vec<SyncStatus>> {
    spi::read(
        &installation.sql(include_str!("../../sql/query/sync_status.sql")),
        &[],
        |row| {
            Ok(SyncStatus {
                source: row.get(1)?,
                pending: row.get(2)?,
                oldest_pending: row.optional(3)?,
                applied: row.get(4)?,
                failed: row.get(5)?,
                last_applied_at: row.optional(6)?,
                vector_types: row.get(7)?,
                latencies: [row.optional(8)?, row.optional(9)?, row.optional(10)?],
                trouble: row.optional(11)?,
            })
        },
    )
}
