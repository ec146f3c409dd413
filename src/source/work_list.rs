//! Which records of a client need work: those without a reference and those whose text changed since.
//!
//! One pass over the client's rows, page by page within one short transaction, newest first. A page is read as the
//! job's role and then compared with our references as ourselves, so that neither side sees the other's data.

use std::collections::HashSet;

use pgrx::datum::TimestampWithTimeZone;
use pgrx::pg_sys::Oid;

use super::describe::Source;
use crate::catalog::installation::Installation;
use crate::error::Result;
use crate::pg::spi::{self, Cursor};
use crate::pg::{memory, role, signal};

/// Rows compared at a time.
const PAGE: usize = 5_000;

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
    /// References made before this moment are renewed even when the text is the same.
    pub(crate) renew_before: Option<TimestampWithTimeZone>,
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
#[derive(Debug, Default)]
pub(crate) struct WorkList {
    /// Record ids that need work, newest first; the first so many that fit into the window.
    pub(crate) record_ids: Vec<String>,
    /// All that need work, those beyond the window included.
    pub(crate) needed: u64,
    /// Rows that have no text.
    pub(crate) without_text: u64,
    /// Rows that a plain query shows for the client.
    pub(crate) rows: u64,
    /// References whose row is gone, no longer passes the filter or has no text any more.
    pub(crate) has_gone: bool,
}

/// Makes the pass. `window` bounds the bytes of record ids that are kept; `skip` holds records that are in work already.
pub(crate) fn scan(
    installation: &Installation,
    source: &Source,
    scope: &Scope,
    collection: &str,
    window: usize,
    skip: &HashSet<String>,
) -> Result<WorkList> {
    let query = query(source, scope.comparison);
    let probe = installation.sql(include_str!("../../sql/query/probe_references.sql"));
    let mut found = WorkList::default();
    let mut kept_bytes = 0;
    let mut live_references = 0;
    let mut cursor = role::as_restricted(scope.role, || Cursor::open(&query, &[scope.client_id.into()]))?;
    loop {
        signal::check_interrupts();
        let page = role::as_restricted(scope.role, || {
            cursor.fetch(PAGE, |row| Ok((row.get::<String>(1)?, row.optional::<Vec<u8>>(2)?)))
        })?;
        if page.is_empty() {
            break;
        }
        found.rows += page.len() as u64;
        let mut record_ids = Vec::with_capacity(page.len());
        let mut hashes = Vec::with_capacity(page.len());
        for (record_id, hash) in page {
            match hash {
                Some(hash) => {
                    record_ids.push(record_id);
                    hashes.push(hash);
                }
                None => found.without_text += 1,
            }
        }
        let compared = memory::scoped(|| {
            spi::read_first(
                &probe,
                &[
                    scope.client_id.into(),
                    source.oid.into(),
                    scope.vector_type.as_str().into(),
                    record_ids.clone().into(),
                    hashes.into(),
                    scope.job_id.into(),
                    collection.into(),
                    scope.renew_before.into(),
                ],
                |row| Ok((row.get::<Vec<i64>>(1)?, row.get::<i64>(2)?)),
            )
        })?;
        let (needed, referenced) = compared.unwrap_or_default();
        live_references += referenced;
        for position in needed {
            // Ordinality counts from 1.
            let Some(record_id) = usize::try_from(position - 1)
                .ok()
                .and_then(|index| record_ids.get_mut(index))
            else {
                continue;
            };
            if skip.contains(record_id.as_str()) {
                continue;
            }
            found.needed += 1;
            if kept_bytes < window {
                kept_bytes += record_id.len() + size_of::<String>();
                found.record_ids.push(std::mem::take(record_id));
            }
        }
    }
    let references = spi::read_first(
        &installation.sql(include_str!("../../sql/query/count_referenced_records.sql")),
        &[
            scope.client_id.into(),
            source.oid.into(),
            scope.vector_type.as_str().into(),
        ],
        |row| row.get::<i64>(1),
    )?;
    found.has_gone = references.unwrap_or(0) > live_references;
    Ok(found)
}

/// Record id and hash of each row of the client; the hash is NULL when the row has no text, and empty when texts are not
/// looked at.
fn query(source: &Source, comparison: Comparison) -> String {
    let (hash, text) = match comparison {
        Comparison::Texts => (
            "case when t.text is not null then sha256(convert_to(t.text, 'UTF8')) end",
            format!("cross join lateral (select {} offset 0) t(text)", source.text),
        ),
        Comparison::Keys => ("''::bytea", String::new()),
    };
    format!(
        "select {key}, {hash} from {source} s {text} where {filter} order by {order}",
        key = source.key.expression(),
        source = source.name,
        filter = source.filter,
        order = source.order,
    )
}
