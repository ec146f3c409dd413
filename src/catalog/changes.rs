//! Changes on their way: noted by the transactions that made them, taken over by the worker, pending until vectors and
//! references say what the rows say.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use pgrx::PgBuiltInOids;
use pgrx::datum::TimestampWithTimeZone;
use pgrx::pg_sys::Oid;

use super::installation::Installation;
use super::references::Owner;
use super::seen::Seen;
use crate::error::Result;
use crate::pg::spi::{self, Kept};

thread_local! {
    static NOTE: RefCell<Option<Kept>> = const { RefCell::new(None) };
}

/// Changes to note, column by column.
#[derive(Debug, Default)]
pub(crate) struct NewChanges {
    sources: Vec<Oid>,
    clients: Vec<Option<i64>>,
    record_ids: Vec<Option<String>>,
}

impl NewChanges {
    /// Adds a row; without a record id all of the client's, without a client those of all.
    pub(crate) fn add(&mut self, source: Oid, client: Option<i64>, record_id: Option<&str>) {
        self.sources.push(source);
        self.clients.push(client);
        self.record_ids.push(record_id.map(str::to_owned));
    }
}

/// Notes what the present transaction has changed. To be called as the owner of the extension.
pub(crate) fn note(installation: &Installation, new: NewChanges) -> Result<()> {
    if new.sources.is_empty() {
        return Ok(());
    }
    let sql = installation.sql(include_str!("../../sql/query/changes_note.sql"));
    NOTE.with(|note| {
        let mut note = note.borrow_mut();
        if !note.as_ref().is_some_and(|kept| kept.is(&sql)) {
            let types = [
                PgBuiltInOids::OIDARRAYOID,
                PgBuiltInOids::INT8ARRAYOID,
                PgBuiltInOids::TEXTARRAYOID,
            ];
            *note = Some(Kept::plan(sql, &types)?);
        }
        match note.as_ref() {
            Some(kept) => kept
                .run(&[new.sources.into(), new.clients.into(), new.record_ids.into()])
                .map(|_| ()),
            None => Ok(()),
        }
    })
}

/// A change that was noted.
#[derive(Debug)]
pub(crate) struct NotedChange {
    /// Of which source.
    pub(crate) source: Oid,
    /// Of which client; `None` for all of them.
    pub(crate) client_id: Option<i64>,
    /// Of which row; `None` for all of them.
    pub(crate) record_id: Option<String>,
    /// When.
    pub(crate) changed_at: TimestampWithTimeZone,
}

/// What was taken.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The changes.
    pub(crate) changes: Vec<NotedChange>,
    /// Whether there may be more.
    pub(crate) has_more: bool,
}

/// Takes changes that were committed since a former look, at most so many.
pub(crate) fn take(installation: &Installation, since: &Seen, most: i64) -> Result<Taken> {
    let mut found = 0;
    let taken = spi::rows(
        &installation.sql(include_str!("../../sql/query/changes_take.sql")),
        &[since.next().into(), since.under_way().into(), most.into()],
        |row| {
            found = row.get::<i64>(1)?;
            let Some(source) = row.optional(2)? else {
                return Ok(None);
            };
            Ok(Some(NotedChange {
                source,
                client_id: row.optional(3)?,
                record_id: row.optional(4)?,
                changed_at: row.get(5)?,
            }))
        },
    )?;
    Ok(Taken {
        changes: taken.into_iter().flatten().collect(),
        has_more: found >= most,
    })
}

/// A change that is pending.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PendingChange {
    /// Whose.
    pub(crate) client_id: i64,
    /// Of which source.
    pub(crate) source: Oid,
    /// For which vectors.
    pub(crate) vector_type: String,
    /// Of which row; `None` for all of them.
    pub(crate) record_id: Option<String>,
    /// Since when.
    pub(crate) changed_at: TimestampWithTimeZone,
}

/// Makes changes pending; each record at most once.
pub(crate) fn add(installation: &Installation, changes: &[PendingChange]) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let each = changes.iter();
    spi::run(
        &installation.sql(include_str!("../../sql/query/pending_add.sql")),
        &[
            each.clone().map(|change| change.client_id).collect::<Vec<_>>().into(),
            each.clone().map(|change| change.source).collect::<Vec<_>>().into(),
            each.clone()
                .map(|change| change.vector_type.clone())
                .collect::<Vec<_>>()
                .into(),
            each.clone()
                .map(|change| change.record_id.clone())
                .collect::<Vec<_>>()
                .into(),
            each.map(|change| change.changed_at).collect::<Vec<_>>().into(),
        ],
    )
    .map(|_| ())
}

/// What is pending of a client.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// Records to look at, in the order of their latest changes.
    pub(crate) record_ids: Vec<String>,
    /// The number of the change by which all of them are to be looked at, if there is one.
    pub(crate) everything: Option<i64>,
}

/// What is pending of an owner, at most so many records.
pub(crate) fn of_owner(installation: &Installation, owner: Owner<'_>, most: i64) -> Result<Pending> {
    let mut pending = Pending::default();
    let [client, source, vector_type] = owner.parameters();
    spi::read(
        &installation.sql(include_str!("../../sql/query/pending_of_owner.sql")),
        &[client, source, vector_type, most.into()],
        |row| {
            match row.optional::<String>(1)? {
                Some(record_id) => pending.record_ids.push(record_id),
                None => pending.everything = Some(row.get(2)?),
            }
            Ok(())
        },
    )?;
    Ok(pending)
}

/// Those of these records whose change is known and is to be looked at by itself, also where no worker has taken it over yet.
pub(crate) fn unseen(
    installation: &Installation,
    owner: Owner<'_>,
    record_ids: Vec<String>,
) -> Result<HashSet<String>> {
    if record_ids.is_empty() {
        return Ok(HashSet::new());
    }
    let [client, source, vector_type] = owner.parameters();
    let statement = installation.sql(include_str!("../../sql/query/changes_unseen_of_owner.sql"));
    let unseen = spi::read(&statement, &[client, source, vector_type, record_ids.into()], |row| {
        row.get(1)
    })?;
    Ok(unseen.into_iter().collect())
}

/// Which change of a record is meant, and since when it waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbered {
    /// Its number: another one when the record changes again.
    pub(crate) number: i64,
    /// Since when.
    pub(crate) changed_at: TimestampWithTimeZone,
}

/// The pending changes of these records.
pub(crate) fn numbers(
    installation: &Installation,
    owner: Owner<'_>,
    record_ids: &[String],
) -> Result<HashMap<String, Numbered>> {
    let [client, source, vector_type] = owner.parameters();
    let found = spi::read(
        &installation.sql(include_str!("../../sql/query/pending_numbers.sql")),
        &[client, source, vector_type, record_ids.to_vec().into()],
        |row| {
            let numbered = Numbered {
                number: row.get(2)?,
                changed_at: row.get(3)?,
            };
            Ok((row.get(1)?, numbered))
        },
    )?;
    Ok(found.into_iter().collect())
}

/// Whose rows are all to be looked at: client, source, vector type and the number of the change.
pub(crate) fn everything(installation: &Installation) -> Result<Vec<(i64, Oid, String, i64)>> {
    let statement = installation.sql(include_str!("../../sql/query/pending_everything.sql"));
    spi::read(&statement, &[], |row| {
        Ok((row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
    })
}

/// Of which clients, sources and vector types something is pending, of one source or of all.
pub(crate) fn owners(installation: &Installation, source: Option<Oid>) -> Result<Vec<(i64, Oid, String)>> {
    let statement = installation.sql(include_str!("../../sql/query/pending_owners.sql"));
    spi::read(&statement, &[source.into()], |row| {
        Ok((row.get(1)?, row.get(2)?, row.get(3)?))
    })
}

/// These changes are done, unless their records have changed again.
pub(crate) fn settle(
    installation: &Installation,
    owner: Owner<'_>,
    done: impl Iterator<Item = (String, i64)>,
) -> Result<()> {
    let (record_ids, numbers): (Vec<String>, Vec<i64>) = done.unzip();
    if record_ids.is_empty() {
        return Ok(());
    }
    let [client, source, vector_type] = owner.parameters();
    spi::run(
        &installation.sql(include_str!("../../sql/query/pending_settle.sql")),
        &[client, source, vector_type, record_ids.into(), numbers.into()],
    )
    .map(|_| ())
}

/// All records of an owner were looked at for this change.
pub(crate) fn settle_everything(installation: &Installation, owner: Owner<'_>, number: i64) -> Result<()> {
    let [client, source, vector_type] = owner.parameters();
    spi::run(
        &installation.sql(include_str!("../../sql/query/pending_settle_all.sql")),
        &[client, source, vector_type, number.into()],
    )
    .map(|_| ())
}

/// So many records of an owner are pending that all are to be looked at instead.
pub(crate) fn fold(installation: &Installation, owner: Owner<'_>) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/pending_fold.sql")),
        &owner.parameters(),
    )
    .map(|_| ())
}

/// Makes the records that a job has set aside pending again.
pub(crate) fn add_failed(installation: &Installation, job: i64, record_ids: Option<Vec<String>>) -> Result<()> {
    let statement = installation.sql(include_str!("../../sql/query/pending_of_failed.sql"));
    spi::run(&statement, &[job.into(), record_ids.into()]).map(|_| ())
}

/// Forgets what nobody follows any more.
pub(crate) fn forget_orphans(installation: &Installation) -> Result<()> {
    for statement in [
        include_str!("../../sql/query/changes_orphaned_delete.sql"),
        include_str!("../../sql/query/pending_orphaned_delete.sql"),
    ] {
        spi::run(&installation.sql(statement), &[])?;
    }
    Ok(())
}

/// Forgets what is pending of a source for these vector types, or for all of them.
pub(crate) fn forget(installation: &Installation, source: Oid, vector_types: Option<&[String]>) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/pending_of_source_delete.sql")),
        &[source.into(), vector_types.map(<[String]>::to_vec).into()],
    )?;
    if vector_types.is_none() {
        spi::run(
            &installation.sql(include_str!("../../sql/query/changes_of_source_delete.sql")),
            &[source.into()],
        )?;
    }
    Ok(())
}
