//! Why nothing moves, if nothing moves.

use vb_engine::store::embedded;
use vb_engine::store::place::StoreKind;

use super::access::Sight;
use super::hours;
use super::installation::Installation;
use super::{providers, worker_list};
use crate::error::Result;
use crate::pg::{process, role, spi};
use crate::settings::Settings;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Something that was asked for is not done.
    Error,
    /// Something waits, or will not work when it is needed.
    Warning,
    /// Worth knowing.
    Info,
}

/// Something that is not as it should be.
#[derive(Debug)]
pub(crate) struct Finding {
    /// How bad it is.
    pub(crate) severity: Severity,
    /// What is wrong.
    pub(crate) finding: String,
    /// What to do.
    pub(crate) hint: String,
}

impl Severity {
    /// The name that users see.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

impl Finding {
    fn new(severity: Severity, finding: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            severity,
            finding: finding.into(),
            hint: hint.into(),
        }
    }
}

/// Everything that is wrong as far as the caller sees it, the worst first; nothing when all is well.
pub(crate) fn findings(installation: &Installation) -> Result<Vec<Finding>> {
    let sight = Sight::of_caller(installation)?;
    let mut found = worker(installation, &sight)?;
    found.extend(providers(installation, &sight)?);
    found.extend(role::as_owner(installation.owner, || jobs(installation, &sight))?);
    found.extend(held_up(installation, &sight)?);
    if sight.sees_all() {
        found.extend(role::as_owner(installation.owner, || sources(installation))?);
        found.extend(role::as_owner(installation.owner, || store(installation))?);
        found.extend(role::as_owner(installation.owner, || copy(installation))?);
        found.extend(role::as_owner(installation.owner, || removals(installation))?);
    }
    found.sort_by_key(|finding| finding.severity);
    Ok(found)
}

/// A standby has no worker, and its jobs are the primary's.
fn worker(installation: &Installation, sight: &Sight) -> Result<Vec<Finding>> {
    if process::is_in_recovery() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    if worker_list::list(installation)?.is_empty() {
        found = role::as_owner(installation.owner, || missing_worker(installation, sight))?;
    }
    if !worker_list::is_preloaded(installation)? {
        found.push(Finding::new(
            Severity::Info,
            "vector_backfill is not in shared_preload_libraries: after a restart jobs wait for the next call",
            "Add vector_backfill to shared_preload_libraries and restart the server.",
        ));
    }
    Ok(found)
}

/// What the lack of a worker means at the moment.
fn missing_worker(installation: &Installation, sight: &Sight) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    let statement = installation.sql(include_str!("../../sql/query/health_runnable.sql"));
    let runnable = spi::read_first(&statement, &[], |row| row.get::<i64>(1))?.unwrap_or(0);
    if runnable > 0 {
        found.push(Finding::new(
            Severity::Error,
            match sight.sees_all() {
                true => {
                    format!("no worker is running for this database; jobs and changes that wait for one: {runnable}")
                }
                false => "no worker is running for this database".to_owned(),
            },
            "vb_wait, vb_enqueue_backfill and vb_search start one; if it does not stay, the server's log says why.",
        ));
    }
    let slots = spi::read_first(include_str!("../../sql/query/health_slots.sql"), &[], |row| {
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
            format!("background workers are at their limit, max_worker_processes = {most}"),
            "Raise max_worker_processes and restart the server.",
        ));
    }
    Ok(found)
}

/// Enabled providers that could not be used; an error only when there is no other.
fn providers(installation: &Installation, sight: &Sight) -> Result<Vec<Finding>> {
    let mut all = providers::enabled(installation, &Settings::current())?;
    all.retain(|provider| provider.client_id.is_none_or(|client| sight.sees(client)));
    let mut found: Vec<Finding> = all
        .iter()
        .filter_map(|provider| {
            let reason = provider.available().err()?;
            Some(Finding::new(
                Severity::Warning,
                format!("provider {} is not available: {reason}", provider.name),
                "Put that right, then try vb_check_provider; or disable it in vb_providers.",
            ))
        })
        .collect();
    if found.len() == all.len() {
        found.push(Finding::new(
            Severity::Error,
            "no embedding provider is available",
            "Jobs pause until one is: install the local model (make install) or enable a provider in vb_providers.",
        ));
    }
    Ok(found)
}

fn jobs(installation: &Installation, sight: &Sight) -> Result<Vec<Finding>> {
    spi::read(
        &installation.sql(include_str!("../../sql/query/health_jobs.sql")),
        &[
            sight.sees_all().into(),
            sight.reads_all.into(),
            sight.reads.clone().into(),
        ],
        |row| {
            let severity = if row.get::<String>(1)? == Severity::Error.as_str() {
                Severity::Error
            } else {
                Severity::Warning
            };
            Ok(Finding::new(severity, row.get::<String>(2)?, row.get::<String>(3)?))
        },
    )
}

/// Work that somebody holds up on purpose: all of it, or backfills at this hour.
fn held_up(installation: &Installation, sight: &Sight) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    if Settings::current().paused {
        found.push(Finding::new(
            Severity::Warning,
            "vector_backfill.paused is on: nothing new is begun in any database",
            "alter system set vector_backfill.paused = off; select pg_reload_conf();",
        ));
    }
    let statement = installation.sql(include_str!("../../sql/query/health_schedules.sql"));
    let schedules = role::as_owner(installation.owner, || {
        spi::read(&statement, &[], |row| {
            let (id, client, source) = (row.get::<i64>(1)?, row.get::<i64>(2)?, row.get::<String>(3)?);
            let (error, next) = (row.get::<String>(4)?, row.optional::<String>(5)?.unwrap_or_default());
            let error = match sight.reads(client) {
                true => error,
                false => "see vb_schedules".to_owned(),
            };
            let finding = Finding::new(
                Severity::Warning,
                format!("schedule {id} (client {client}, {source}) did not begin: {error}"),
                format!("It is tried again at {next}; select vb_unschedule_backfill({id}) ends it."),
            );
            Ok((client, finding))
        })
    })?;
    let seen = schedules.into_iter().filter(|(client, _)| sight.sees(*client));
    found.extend(seen.map(|(_, finding)| finding));
    for (client, until) in role::as_owner(installation.owner, || hours::closed_until(installation))? {
        if !client.is_none_or(|client| sight.sees(client)) {
            continue;
        }
        let (whose, argument) = match client {
            Some(client) => (format!("client {client}"), format!(", client_id => {client}")),
            None => ("all clients".to_owned(), String::new()),
        };
        found.push(Finding::new(
            Severity::Info,
            format!("backfills of {whose} are closed until {until}"),
            format!("They go on by themselves then; select vb_set_window(null, null{argument}) opens them now."),
        ));
    }
    Ok(found)
}

/// Collections that have references here and no folder in the embedded store: after a restore, a fail-over, or a change of
/// the data directory.
fn store(installation: &Installation) -> Result<Vec<Finding>> {
    let home = Settings::current().database_directory(process::database());
    let statement = installation.sql(include_str!("../../sql/query/health_collections.sql"));
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
    let statement = installation.sql(include_str!("../../sql/query/health_copy.sql"));
    let names = spi::read_first(&statement, &[], |row| row.get::<i64>(1))?.unwrap_or(0);
    let stores = Settings::current().stores;
    if installation.is_original()? || (names == 0 && stores.new_collections != StoreKind::Qdrant) {
        return Ok(None);
    }
    Ok(Some(Finding::new(
        Severity::Error,
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
    let statement = installation.sql(include_str!("../../sql/query/health_removals.sql"));
    spi::read(&statement, &[], |row| {
        let (store, collections, since) = (row.get::<String>(1)?, row.get::<i64>(2)?, row.get::<String>(3)?);
        Ok(Finding::new(
            Severity::Warning,
            format!(
                "collections or shares that are to be removed from store {store} since {since} are still there: {collections}"
            ),
            "It is tried again and again, and the server's log says why it failed; vb_collection_removals lists them.",
        ))
    })
}

fn sources(installation: &Installation) -> Result<Vec<Finding>> {
    spi::read(
        &installation.sql(include_str!("../../sql/query/health_sources.sql")),
        &[],
        |row| {
            let number = row.get::<pgrx::pg_sys::Oid>(1)?.to_u32();
            let name: Option<String> = row.optional(2)?;
            Ok(Finding::new(
                Severity::Warning,
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
