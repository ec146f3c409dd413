//! The worker: whether there is one, and whether there will be after a restart.

use super::finding::{Cause, Finding, Severity};
use crate::catalog::access::Sight;
use crate::catalog::installation::Installation;
use crate::catalog::worker_list;
use crate::error::Result;
use crate::pg::{process, role, spi};

/// A standby has no worker, and its jobs are the primary's.
pub(super) fn findings(installation: &Installation, sight: &Sight) -> Result<Vec<Finding>> {
    if process::is_in_recovery() {
        return Ok(vec![Finding::new(
            Severity::Info,
            Cause::Standby,
            "this server is a standby: it shows what the primary does, and embeds and searches nothing itself",
            "Ask the primary; once this one is promoted, its worker starts by itself or with the next call.",
        )]);
    }
    let mut found = Vec::new();
    if worker_list::list(installation)?.is_empty() {
        found = role::as_owner(installation.owner, || missing(installation, sight))?;
    }
    if !worker_list::is_preloaded(installation)? {
        found.push(Finding::new(
            Severity::Info,
            Cause::NotPreloaded,
            "vector_backfill is not in shared_preload_libraries: after a restart jobs wait for the next call",
            "Add vector_backfill to shared_preload_libraries and restart the server.",
        ));
    }
    Ok(found)
}

/// What the lack of a worker means at the moment.
fn missing(installation: &Installation, sight: &Sight) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    let statement = installation.sql(include_str!("../../../sql/query/health_runnable.sql"));
    let runnable = spi::read_first(&statement, &[], |row| row.get::<i64>(1))?.unwrap_or(0);
    if runnable > 0 {
        found.push(Finding::new(
            Severity::Error,
            Cause::WorkerMissing,
            match sight.sees_all() {
                true => {
                    format!("no worker is running for this database; jobs and changes that wait for one: {runnable}")
                }
                false => "no worker is running for this database".to_owned(),
            },
            "vb_wait, vb_enqueue_backfill and vb_search start one; if it does not stay, the server's log says why.",
        ));
    }
    let slots = spi::read_first(include_str!("../../../sql/query/health_slots.sql"), &[], |row| {
        Ok((row.get::<i64>(1)?, row.get::<i64>(2)?))
    })?;
    if let Some((used, most)) = slots
        && used >= most
    {
        found.push(Finding::new(
            if runnable > 0 {
                Severity::Error
            } else {
                Severity::Warning
            },
            Cause::WorkerSlots,
            format!("background workers are at their limit, max_worker_processes = {most}"),
            "Raise max_worker_processes and restart the server.",
        ));
    }
    Ok(found)
}
