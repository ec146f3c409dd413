//! Stores: those that do not answer, and what is in them that should not be, or is not.

use vb_engine::store::embedded;
use vb_engine::store::place::StoreKind;

use super::finding::{Cause, Finding, Severity};
use crate::catalog::access::Sight;
use crate::catalog::installation::Installation;
use crate::error::Result;
use crate::pg::{process, spi};
use crate::settings::Settings;

/// All stores. To be called as the owner of the extension.
pub(super) fn findings(installation: &Installation, sight: &Sight) -> Result<Vec<Finding>> {
    let mut found = unreachable(installation, sight)?;
    // A standby has no store of its own.
    if !process::is_in_recovery() {
        found.extend(lost(installation)?);
    }
    found.extend(copy(installation)?);
    found.extend(removals(installation)?);
    Ok(found)
}

/// Stores that do not answer, as the worker saw it a moment ago.
fn unreachable(installation: &Installation, sight: &Sight) -> Result<Vec<Finding>> {
    let statement = installation.sql(include_str!("../../../sql/query/health_outages.sql"));
    spi::read(&statement, &[], |row| {
        let (store, since) = (row.get::<String>(1)?, row.get::<String>(2)?);
        let message = match sight.reads_all {
            true => row.get::<String>(3)?,
            false => "the reason is for roles that may read all clients".to_owned(),
        };
        Ok(Finding::new(
            Severity::Error,
            Cause::StoreUnreachable,
            format!("store {store} does not answer since {since}: {message}"),
            match store == StoreKind::Qdrant.name() {
                true => {
                    "Work waits for it and goes on by itself. See that the server at vector_backfill.qdrant_url runs and can be \
                         reached from here."
                }
                false => {
                    "Work waits for it and goes on by itself. See that there is room on the disk of \
                          vector_backfill.data_directory and that it can be written."
                }
            },
        ))
    })
}

/// Collections that have references here and no folder in the embedded store: after a restore, a fail-over, or a change of
/// the data directory.
fn lost(installation: &Installation) -> Result<Vec<Finding>> {
    let home = Settings::current().database_directory(process::database());
    let statement = installation.sql(include_str!("../../../sql/query/health_collections.sql"));
    let names = spi::read(&statement, &[], |row| row.get::<String>(1))?;
    let lost: Vec<String> = names
        .into_iter()
        .filter(|name| !embedded::has_collection(&home, name))
        .collect();
    let Some(first) = lost.first() else {
        return Ok(Vec::new());
    };
    Ok(vec![Finding::new(
        Severity::Error,
        Cause::CollectionLost,
        format!(
            "the store in {} lacks {} collections that have references, {first} among them",
            home.display(),
            lost.len()
        ),
        "After a restore or fail-over have them made again with vb_verify(client, table, repair => true); else put \
         vector_backfill.data_directory right.",
    )])
}

/// A copy of another database, whose collections in Qdrant are not touched from here.
fn copy(installation: &Installation) -> Result<Option<Finding>> {
    let statement = installation.sql(include_str!("../../../sql/query/health_copy.sql"));
    let names = spi::read_first(&statement, &[], |row| row.get::<i64>(1))?.unwrap_or(0);
    let stores = Settings::current().stores;
    if installation.is_original()? || (names == 0 && stores.new_collections != StoreKind::Qdrant) {
        return Ok(None);
    }
    Ok(Some(Finding::new(
        Severity::Error,
        Cause::DatabaseCopy,
        format!(
            "this database is a copy, and its collections in Qdrant ({names}) belong to the one that it was copied from: they \
             are neither written nor read from here"
        ),
        "If that one is gone: select vb_claim_store(). If it is still in use, give this one a server of its own with \
         vector_backfill.qdrant_url before that. Then resume the jobs that are paused.",
    )))
}

/// What nothing refers to any more and what is still in its store.
fn removals(installation: &Installation) -> Result<Vec<Finding>> {
    let statement = installation.sql(include_str!("../../../sql/query/health_removals.sql"));
    spi::read(&statement, &[], |row| {
        let (store, collections, since) = (row.get::<String>(1)?, row.get::<i64>(2)?, row.get::<String>(3)?);
        Ok(Finding::new(
            Severity::Warning,
            Cause::RemovalsWaiting,
            format!(
                "collections or shares that are to be removed from store {store} since {since} are still there: {collections}"
            ),
            "It is tried again and again, and the server's log says why it failed; vb_collection_removals lists them.",
        ))
    })
}
