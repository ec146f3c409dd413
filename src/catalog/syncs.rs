//! Sources that are kept in step with their rows: which they are, their triggers, and what they looked like last.

use std::collections::BTreeMap;

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::Oid;
use pgrx::spi::quote_identifier;
use serde_json::json;

use super::access::{self, Level};
use super::audit::Deed;
use super::changes;
use super::installation::Installation;
use super::job_control;
use super::renamed_columns;
use super::{jobs, source_access, source_settings};
use crate::error::{Result, VbError};
use crate::pg::{relcache, role, spi};
use crate::source::columns::Relation;
use crate::source::describe;

/// A source that is kept in step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Synced {
    /// The source.
    pub(crate) source: Oid,
    /// The vectors that are.
    pub(crate) vector_types: Vec<String>,
}

/// Names of columns by their position.
pub(crate) type ColumnNames = BTreeMap<String, String>;

/// What a source looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Another one when its columns, key, settings, parts or files are not what they were.
    pub(crate) signature: String,
    /// Its columns.
    pub(crate) columns: ColumnNames,
    /// Whether it is there at all.
    pub(crate) exists: bool,
}

/// A source that is kept in step, with what it looked like when that was written down.
#[derive(Debug)]
pub(crate) struct Recorded {
    /// The source and its vector types.
    pub(crate) synced: Synced,
    /// What it looked like.
    pub(crate) signature: String,
    /// Its columns then.
    pub(crate) columns: ColumnNames,
}

/// All sources that are kept in step.
pub(crate) fn all(installation: &Installation) -> Result<Vec<Recorded>> {
    spi::read(
        &installation.sql(include_str!("../../sql/query/syncs.sql")),
        &[],
        |row| {
            Ok(Recorded {
                synced: Synced {
                    source: row.get(1)?,
                    vector_types: row.get(2)?,
                },
                signature: row.get(3)?,
                columns: names(&row.get::<String>(4)?)?,
            })
        },
    )
}

fn names(json: &str) -> Result<ColumnNames> {
    serde_json::from_str(json).map_err(|error| VbError::internal(format!("names of columns cannot be read: {error}")))
}

/// What all of them look like now.
pub(crate) fn layouts(installation: &Installation) -> Result<Vec<(Oid, Layout)>> {
    read_layouts(installation, None)
}

/// What one looks like now.
pub(crate) fn layout(installation: &Installation, synced: &Synced) -> Result<Layout> {
    let found = read_layouts(installation, Some(synced))?.into_iter().next();
    found
        .map(|(_, layout)| layout)
        .ok_or_else(|| VbError::internal("a source has no layout"))
}

fn read_layouts(installation: &Installation, one: Option<&Synced>) -> Result<Vec<(Oid, Layout)>> {
    spi::read(
        &installation.sql(include_str!("../../sql/query/sync_layouts.sql")),
        &[
            one.map(|synced| synced.source).into(),
            one.map(|synced| synced.vector_types.clone()).into(),
        ],
        |row| {
            let layout = Layout {
                signature: row.get(2)?,
                columns: names(&row.get::<String>(3)?)?,
                exists: row.get(4)?,
            };
            Ok((row.get(1)?, layout))
        },
    )
}

/// Writes down what a source looks like now.
pub(crate) fn relaid(installation: &Installation, source: Oid, layout: &Layout) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/syncs_relaid.sql")),
        &[
            source.into(),
            layout.signature.as_str().into(),
            json(&layout.columns).into(),
        ],
    )
    .map(|_| ())
}

fn json(columns: &ColumnNames) -> String {
    serde_json::Value::from_iter(columns.clone()).to_string()
}

/// Everything that clients have of a source is to be looked at.
pub(crate) fn mark(installation: &Installation, synced: &Synced) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/syncs_marked_clients.sql")),
        &[synced.source.into(), synced.vector_types.clone().into()],
    )?;
    jobs::open_for_changes(installation, &changes::owners(installation, Some(synced.source))?)
}

/// The sources in step that a table is, or is a part of, or that a trigger on it names; and all tables that were looked at.
pub(crate) fn of_relation(
    installation: &Installation,
    relation: Oid,
    named: Option<&str>,
) -> Result<(Vec<Synced>, Vec<Oid>)> {
    let found = spi::read(
        &installation.sql(include_str!("../../sql/query/syncs_of_relation.sql")),
        &[relation.into(), named.into()],
        |row| Ok((row.get::<Oid>(1)?, row.optional::<Vec<String>>(2)?)),
    )?;
    let relations = found.iter().map(|(relation, _)| *relation).collect();
    let synced = found.into_iter().filter_map(|(source, vector_types)| {
        Some(Synced {
            source,
            vector_types: vector_types?,
        })
    });
    Ok((synced.collect(), relations))
}

/// The table or view of this name, with its schema, if there is one.
pub(crate) fn named(name: &str) -> Result<Option<Oid>> {
    let found = spi::read_first(include_str!("../../sql/query/table.sql"), &[name.into()], |row| {
        row.optional::<Oid>(1)
    })?;
    Ok(found.flatten())
}

/// Whether triggers can tell of changes to a source's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Followed {
    /// They were put on it.
    ByTriggers,
    /// They cannot be put on it: somebody has to put them on the tables below it.
    ByHand,
}

/// Keeps a source in step from now on.
pub(crate) fn enable(installation: &Installation, source: Oid, mut vector_types: Vec<String>) -> Result<Followed> {
    let relation = Relation::read(source)?;
    source_access::require_ownership(source, &relation.qualified)?;
    access::require_all(installation, Level::Write, "keep a source in step")?;
    vector_types.sort();
    vector_types.dedup();
    if vector_types.is_empty() {
        return Err(VbError::invalid("vector_types is empty").hint("Name at least one, as in ARRAY['content']."));
    }
    for vector_type in &vector_types {
        describe::describe(installation, source, vector_type)?;
    }
    let followed = followed(source, &relation.qualified)?;
    let asking = role::current();
    source_access::require_readable(
        source,
        &relation.qualified,
        asking,
        source_access::acting_role(asking, relation.owner),
    )?;
    let synced = Synced { source, vector_types };
    role::as_owner(installation.owner, || {
        for vector_type in &synced.vector_types {
            source_settings::register(installation, source, vector_type)?;
        }
        if followed == Followed::ByTriggers {
            lock_out_writers(&relation)?;
            create_triggers(installation, &relation)?;
        }
        let former = all(installation)?
            .into_iter()
            .find(|recorded| recorded.synced.source == source);
        let former = former.map(|recorded| recorded.synced.vector_types).unwrap_or_default();
        let dropped: Vec<String> = former
            .into_iter()
            .filter(|of| !synced.vector_types.contains(of))
            .collect();
        if !dropped.is_empty() {
            job_control::end_sync_jobs(installation, source, Some(&dropped))?;
            changes::forget(installation, source, Some(&dropped))?;
        }
        // From here on every change is noted, once this has committed; what was changed before is found by looking.
        let layout = layout(installation, &synced)?;
        spi::run(
            &installation.sql(include_str!("../../sql/query/syncs_enable.sql")),
            &[
                source.into(),
                synced.vector_types.clone().into(),
                asking.into(),
                layout.signature.as_str().into(),
                json(&layout.columns).into(),
            ],
        )?;
        mark(installation, &synced)
    })?;
    let detail = json!({ "vector_types": synced.vector_types });
    Deed::new("enable_sync")
        .by(asking)
        .subject(&relation.qualified)
        .detail(detail)
        .note(installation)?;
    relcache::tell_of_change(source);
    Ok(followed)
}

fn followed(source: Oid, name: &str) -> Result<Followed> {
    let traits = spi::read_first(
        include_str!("../../sql/query/relation_traits.sql"),
        &[source.into()],
        |row| Ok((row.get::<i8>(1)? as u8, row.get::<bool>(2)?, row.get::<bool>(3)?)),
    )?;
    match traits {
        None => Err(VbError::internal(format!("table {name} has just been dropped"))),
        Some((_, true, _)) => Err(VbError::new(
            PgSqlErrorCode::ERRCODE_WRONG_OBJECT_TYPE,
            format!("{name} is a temporary table, which no worker can read"),
        )
        .hint("Keep its rows in an ordinary table.")),
        Some((_, _, true)) => Err(VbError::new(
            PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
            format!("tables inherit from {name}, and their rows change without its triggers"),
        )
        .hint("Make it a partitioned table, or call vb_enable_sync for each of these tables as a source of its own.")),
        Some((b'r' | b'p', _, _)) => Ok(Followed::ByTriggers),
        Some(_) => Ok(Followed::ByHand),
    }
}

/// Transactions that have changed rows would note them by what mattered when they began: they are waited for, and new ones
/// wait until this one has ended.
fn lock_out_writers(relation: &Relation) -> Result<()> {
    let command = format!("lock table {} in share row exclusive mode", relation.qualified);
    spi::run(&command, &[]).map(|_| ())
}

/// The same before the settings of a source change, if it is kept in step. To be called as the owner of the extension.
pub(crate) fn hold_writers(installation: &Installation, relation: &Relation) -> Result<()> {
    let Some(recorded) = recorded(installation, relation.oid)? else {
        return Ok(());
    };
    if followed(relation.oid, &relation.qualified)? == Followed::ByTriggers {
        lock_out_writers(relation)?;
    }
    // Columns that have another name by now, before somebody says more of them.
    let now = layout(installation, &recorded.synced)?;
    renamed_columns::follow(installation, relation.oid, &recorded.columns, &now.columns)
}

/// The settings of a source have changed: if it is kept in step, all that clients have of it is to be looked at, and settings
/// name columns as they are called now.
pub(crate) fn reconfigured(installation: &Installation, source: Oid) -> Result<()> {
    let Some(recorded) = recorded(installation, source)? else {
        return Ok(());
    };
    let layout = Layout {
        signature: String::new(),
        ..layout(installation, &recorded.synced)?
    };
    relaid(installation, source, &layout)?;
    relcache::tell_of_change(source);
    Ok(())
}

fn recorded(installation: &Installation, source: Oid) -> Result<Option<Recorded>> {
    let mut all = all(installation)?.into_iter();
    Ok(all.find(|recorded| recorded.synced.source == source))
}

/// One for rows, which partitions get as well, also those that come later, and one for TRUNCATE. They fire for what
/// replication applies too.
fn create_triggers(installation: &Installation, relation: &Relation) -> Result<()> {
    if !triggers(relation.oid)?.is_empty() {
        return Ok(());
    }
    let table = &relation.qualified;
    // Partitions can have triggers of their own, as sources of their own.
    let name = format!("vector_backfill_sync_{}", relation.oid.to_u32());
    let (rows, truncate) = (quote_identifier(&name), quote_identifier(format!("{name}_truncate")));
    let function = installation.sql("@extschema@.vb_sync_trigger()");
    for command in [
        format!(
            "create trigger {rows} after insert or update or delete on {table} for each row execute function {function}"
        ),
        format!("create trigger {truncate} after truncate on {table} for each statement execute function {function}"),
        format!("alter table {table} enable always trigger {rows}"),
        format!("alter table {table} enable always trigger {truncate}"),
    ] {
        spi::run(&command, &[])?;
    }
    Ok(())
}

fn triggers(source: Oid) -> Result<Vec<String>> {
    let statement = include_str!("../../sql/query/source_triggers.sql");
    spi::read(statement, &[source.into()], |row| row.get(1))
}

/// Keeps a source in step no longer; false when it was not. What it has stays as it is.
pub(crate) fn disable(installation: &Installation, source: Oid) -> Result<bool> {
    let relation = Relation::read(source)?;
    source_access::require_ownership(source, &relation.qualified)?;
    access::require_all(installation, Level::Write, "have a source go out of step")?;
    let disabled = role::as_owner(installation.owner, || {
        for name in triggers(source)? {
            let command = format!("drop trigger {} on {}", quote_identifier(name), relation.qualified);
            spi::run(&command, &[])?;
        }
        relcache::tell_of_change(source);
        forget(installation, source)
    })?;
    if disabled {
        Deed::new("disable_sync")
            .subject(&relation.qualified)
            .note(installation)?;
    }
    Ok(disabled)
}

/// Forgets a source that is in step, with all that is pending; false when it was not. To be called as the owner of the extension.
pub(crate) fn forget(installation: &Installation, source: Oid) -> Result<bool> {
    let forgotten = spi::run(
        &installation.sql(include_str!("../../sql/query/syncs_disable.sql")),
        &[source.into()],
    )?;
    job_control::end_sync_jobs(installation, source, None)?;
    changes::forget(installation, source, None)?;
    Ok(forgotten > 0)
}
