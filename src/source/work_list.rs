//! Which records of a client need work: those without a reference and those whose text or payload columns changed since.
//!
//! One pass over the client's rows, page by page within one short transaction, newest first. A page is read as the
//! job's role and then compared with our references as ourselves, so that neither side sees the other's data.

use std::collections::HashSet;

use pgrx::datum::TimestampWithTimeZone;
use pgrx::pg_sys::Oid;
use serde::{Deserialize, Serialize};

use super::describe::Source;
use super::pages;
use crate::catalog::collections::{Collection, Stage};
use crate::catalog::installation::Installation;
use crate::catalog::references::{self, Owner};
use crate::error::Result;
use crate::pg::{memory, spi};

/// The most records with a longer one that a pass tells of.
const MOST_TOO_LONG: usize = 10_000;

/// Whose records are looked at, for which vectors.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    /// The role whose rights count on the source.
    pub(crate) role: Oid,
    /// The client.
    pub(crate) client_id: i64,
    /// The vector type.
    pub(crate) vector_type: String,
    /// The job, whose failed records do not come up again unless their text changed.
    pub(crate) job_id: i64,
    /// Whether texts are compared; see [`Comparison`].
    pub(crate) comparison: Comparison,
    /// The collection whose references are compared; empty when there is none yet.
    pub(crate) collection: String,
    /// Whether it serves.
    pub(crate) stage: Stage,
    /// References made before this moment are renewed even when the text is the same.
    pub(crate) renew_before: Option<TimestampWithTimeZone>,
}

impl Scope {
    /// Everything of a client, compared by its texts with the collection that serves, for no job in particular.
    pub(crate) fn of_serving(role: Oid, owner: Owner<'_>, collection: Option<&Collection>) -> Self {
        Self {
            role,
            client_id: owner.client_id,
            vector_type: owner.vector_type.to_owned(),
            // No job has this number: nothing was set aside by it.
            job_id: 0,
            comparison: Comparison::Texts,
            collection: collection.map(|collection| collection.name.clone()).unwrap_or_default(),
            stage: Stage::Serving,
            renew_before: collection.and_then(|collection| collection.renew_before),
        }
    }
}

/// How a pass finds out whether a record needs work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// By its text.
    Texts,
    /// Not at all, since the text of some row cannot be computed (a view divides by zero, say) and that would end the
    /// pass: every record counts as needing work, and reading it with its batch tells.
    Keys,
}

/// What a pass found.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct WorkList {
    /// Record ids that need work, newest first; the first so many that fit into the window.
    pub(crate) record_ids: Vec<String>,
    /// All that need work, those beyond the window included.
    pub(crate) needed: u64,
    /// Of these, those that are to be embedded; of the others only payload columns changed.
    pub(crate) to_embed: u64,
    /// Bytes of the texts of those that are to be embedded; 0 when texts are not looked at.
    pub(crate) embed_bytes: u64,
    /// Rows that have no text.
    pub(crate) without_text: u64,
    /// Rows that a plain query shows for the client.
    pub(crate) rows: u64,
    /// Records with a reference.
    pub(crate) references: u64,
    /// Whether some of these have no row, or none that passes the filter and has a text.
    pub(crate) has_gone: bool,
    /// Records that cannot be embedded since their record id is too long for an index, by what stands for it.
    pub(crate) too_long: Vec<String>,
}

/// Makes the pass. `window` bounds the bytes of record ids that are kept; `skip` holds records that are in work already;
/// `go_on` is asked before each page, and its error ends the pass.
pub(crate) fn scan(
    installation: &Installation,
    source: &Source,
    scope: &Scope,
    window: usize,
    skip: &HashSet<String>,
    go_on: &dyn Fn() -> Result<()>,
) -> Result<WorkList> {
    // The first pass over a source has nothing to compare with.
    let probe = (!has_nothing_done(installation, source, scope)?).then(|| {
        references::sql(
            installation,
            scope.stage,
            include_str!("../../sql/query/probe_references.sql"),
        )
    });
    let mut found = WorkList::default();
    let mut kept_bytes = 0;
    let mut live_references = 0;
    pages::each(source, scope, probe.is_some(), go_on, &mut |page| {
        found.rows += page.rows;
        found.without_text += page.without_text;
        let room = MOST_TOO_LONG.saturating_sub(found.too_long.len());
        found.too_long.extend(page.too_long.into_iter().take(room));
        let (mut record_ids, bytes) = (page.record_ids, page.bytes);
        let compared = match &probe {
            Some(probe) => compare(source, scope, probe, &record_ids, page.hashes)?,
            None => Compared {
                to_embed: (1..=record_ids.len() as i64).collect(),
                ..Compared::default()
            },
        };
        live_references += compared.referenced;
        let to_embed = compared.to_embed.iter().map(|position| (*position, true));
        let mut needed: Vec<(i64, bool)> = to_embed
            .chain(compared.changed.iter().map(|position| (*position, false)))
            .collect();
        needed.sort_unstable();
        for (position, is_to_embed) in needed {
            // Ordinality counts from 1.
            let index = usize::try_from(position - 1).unwrap_or(usize::MAX);
            let (Some(record_id), Some(length)) = (record_ids.get_mut(index), bytes.get(index)) else {
                continue;
            };
            if skip.contains(record_id.as_str()) {
                continue;
            }
            found.needed += 1;
            if is_to_embed {
                found.to_embed += 1;
                found.embed_bytes += u64::try_from(*length).unwrap_or(0);
            }
            if kept_bytes < window {
                kept_bytes += record_id.len() + size_of::<String>();
                found.record_ids.push(std::mem::take(record_id));
            }
        }
        Ok(())
    })?;
    let references = spi::read_first(
        &references::sql(
            installation,
            scope.stage,
            include_str!("../../sql/query/count_referenced_records.sql"),
        ),
        &[
            scope.client_id.into(),
            source.oid.into(),
            scope.vector_type.as_str().into(),
        ],
        |row| row.get::<i64>(1),
    )?;
    let references = references.unwrap_or(0);
    found.references = u64::try_from(references).unwrap_or(0);
    found.has_gone = references > live_references;
    Ok(found)
}

/// Whether no record has a reference, and none was set aside.
fn has_nothing_done(installation: &Installation, source: &Source, scope: &Scope) -> Result<bool> {
    let found = spi::read_first(
        &references::sql(
            installation,
            scope.stage,
            include_str!("../../sql/query/nothing_done.sql"),
        ),
        &[
            scope.client_id.into(),
            source.oid.into(),
            scope.vector_type.as_str().into(),
            scope.job_id.into(),
        ],
        |row| row.get(1),
    )?;
    Ok(found.unwrap_or(false))
}

/// What the comparison of a page gave; records by their number from 1.
#[derive(Debug, Default)]
struct Compared {
    /// Those that are to be embedded.
    to_embed: Vec<i64>,
    /// Those of which only payload columns changed.
    changed: Vec<i64>,
    /// How many have a reference.
    referenced: i64,
}

/// Which of the records need work.
fn compare(
    source: &Source,
    scope: &Scope,
    probe: &str,
    record_ids: &[String],
    hashes: Vec<Vec<u8>>,
) -> Result<Compared> {
    let compared = memory::scoped(|| {
        spi::read_first(
            probe,
            &[
                scope.client_id.into(),
                source.oid.into(),
                scope.vector_type.as_str().into(),
                record_ids.to_vec().into(),
                hashes.into(),
                scope.job_id.into(),
                scope.collection.as_str().into(),
                scope.renew_before.into(),
            ],
            |row| {
                Ok(Compared {
                    to_embed: row.get(1)?,
                    changed: row.get(2)?,
                    referenced: row.get(3)?,
                })
            },
        )
    })?;
    Ok(compared.unwrap_or_default())
}
