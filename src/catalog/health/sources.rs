//! Sources: those that are gone, and those whose vectors do not follow their rows as they should.

use super::finding::{Cause, Finding, Severity};
use crate::catalog::installation::Installation;
use crate::error::Result;
use crate::pg::spi;

/// All sources. To be called as the owner of the extension.
pub(super) fn findings(installation: &Installation) -> Result<Vec<Finding>> {
    let mut found = missing(installation)?;
    found.extend(without_triggers(installation)?);
    found.extend(late(installation)?);
    found.extend(stale(installation)?);
    Ok(found)
}

/// Sources that are kept in step by triggers that are not there or do not fire.
fn without_triggers(installation: &Installation) -> Result<Vec<Finding>> {
    let statement = installation.sql(include_str!("../../../sql/query/health_triggers.sql"));
    spi::read(&statement, &[], |row| {
        let (source, what) = (row.get::<String>(1)?, row.get::<String>(2)?);
        Ok(Finding::new(
            Severity::Error,
            Cause::TriggersMissing,
            format!("changes of {source} are not seen, although it is to be kept in step: {what}"),
            format!(
                "select vb_disable_sync('{source}'); then select vb_enable_sync('{source}', '{}') puts its triggers back and looks \
                 at all rows; alter table … enable always trigger is enough for one that is disabled.",
                row.get::<String>(3)?
            ),
        ))
    })
}

/// Sources with a change that waits for more than five minutes.
fn late(installation: &Installation) -> Result<Vec<Finding>> {
    let statement = installation.sql(include_str!("../../../sql/query/health_late.sql"));
    spi::read(&statement, &[], |row| {
        Ok(Finding::new(
            Severity::Warning,
            Cause::ChangesLate,
            format!(
                "changes of {} wait since {}: {} of them",
                row.get::<String>(1)?,
                row.get::<String>(2)?,
                row.get::<i64>(3)?
            ),
            "Other lines here say why, if one does; vb_sync_status() shows how fast changes were followed lately, \
             vb_job_status whether a client's job of kind sync is paused.",
        ))
    })
}

/// Sources that nothing keeps in step and nobody has looked at for a week.
fn stale(installation: &Installation) -> Result<Vec<Finding>> {
    let statement = installation.sql(include_str!("../../../sql/query/health_stale.sql"));
    spi::read(&statement, &[], |row| {
        let source = row.get::<String>(1)?;
        Ok(Finding::new(
            Severity::Info,
            Cause::CollectionStale,
            format!(
                "vectors of {source} ({}) were last compared with its rows on {} (clients: {}), and nothing keeps them in step",
                row.get::<String>(4)?,
                row.get::<String>(2)?,
                row.get::<i64>(3)?
            ),
            format!(
                "select vb_enable_sync('{source}', '{}') follows changes from now on; vb_schedule_backfill looks at them every \
                 night.",
                row.get::<String>(5)?
            ),
        ))
    })
}

fn missing(installation: &Installation) -> Result<Vec<Finding>> {
    spi::read(
        &installation.sql(include_str!("../../../sql/query/health_sources.sql")),
        &[],
        |row| {
            let number = row.get::<pgrx::pg_sys::Oid>(1)?.to_u32();
            let name: Option<String> = row.optional(2)?;
            Ok(Finding::new(
                Severity::Warning,
                Cause::SourceMissing,
                format!(
                    "source {} does not exist any more",
                    name.unwrap_or_else(|| number.to_string())
                ),
                installation.sql(&format!(
                    "delete from @extschema@.vb_source_settings where source = {number};"
                )),
            ))
        },
    )
}
