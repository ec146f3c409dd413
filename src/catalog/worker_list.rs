//! The worker processes of this database as `pg_stat_activity` shows them.

use std::fs;

use pgrx::datum::TimestampWithTimeZone;

use super::installation::Installation;
use crate::error::Result;
use crate::pg::{process, role, spi};

/// A worker process.
#[derive(Debug)]
pub(crate) struct WorkerProcess {
    /// Its process id.
    pub(crate) pid: i32,
    /// `running` while it is at work, `idle` while it waits, `starting` until it has told.
    pub(crate) state: String,
    /// When it started.
    pub(crate) since: Option<TimestampWithTimeZone>,
    /// Bytes of memory that it occupies; `None` where the system does not tell.
    pub(crate) memory_bytes: Option<i64>,
    /// What it is doing or waiting for.
    pub(crate) waiting_for: Option<String>,
}

/// The worker processes of this database: one, or none; for a moment two when one is ending.
pub(crate) fn list(installation: &Installation) -> Result<Vec<WorkerProcess>> {
    role::as_owner(installation.owner, || {
        spi::read(
            include_str!("../../sql/query/worker_list.sql"),
            &[process::database().into(), process::WORKER_TYPE.into()],
            |row| {
                let pid = row.get(1)?;
                Ok(WorkerProcess {
                    pid,
                    state: row.get(2)?,
                    since: row.optional(3)?,
                    memory_bytes: resident_bytes(pid),
                    waiting_for: row.optional(4)?,
                })
            },
        )
    })
}

/// Whether the library is in `shared_preload_libraries`, so that jobs go on by themselves after a restart.
pub(crate) fn is_preloaded(installation: &Installation) -> Result<bool> {
    // Only the owner may see that setting.
    let found = role::as_owner(installation.owner, || {
        spi::read_first(include_str!("../../sql/query/preloaded.sql"), &[], |row| {
            row.get::<bool>(1)
        })
    })?;
    Ok(found.unwrap_or(false))
}

fn resident_bytes(pid: i32) -> Option<i64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
