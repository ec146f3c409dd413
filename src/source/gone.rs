//! Finds references whose row is gone, no longer passes the filter, or has no text any more.

use super::describe::Source;
use super::key::Matching;
use super::live;
use super::work_list::{Comparison, Scope};
use crate::catalog::installation::Installation;
use crate::catalog::references;
use crate::error::Result;
use crate::pg::{memory, role, spi};

/// References looked at in one statement.
const PAGE: i64 = 5_000;

/// The same when each statement reads all rows.
const PAGE_BY_TEXTS: i64 = 50_000;

/// Record ids that have a reference and no row with text, at most about `limit` of them. `go_on` is asked before each
/// page; its error ends the search.
pub(crate) fn find(
    installation: &Installation,
    source: &Source,
    scope: &Scope,
    limit: usize,
    go_on: &dyn Fn() -> Result<()>,
) -> Result<Vec<String>> {
    let page_query = references::sql(
        installation,
        scope.stage,
        include_str!("../../sql/query/referenced_records.sql"),
    );
    let mut matching = Matching::Values;
    let mut gone = Vec::new();
    let mut after: Option<String> = None;
    while gone.len() < limit {
        go_on()?;
        let page = match matching {
            Matching::Values => PAGE,
            Matching::Texts => PAGE_BY_TEXTS,
        };
        let record_ids = spi::read(
            &page_query,
            &[
                scope.client_id.into(),
                source.oid.into(),
                scope.vector_type.as_str().into(),
                after.into(),
                page.into(),
            ],
            |row| row.get::<String>(1),
        )?;
        let Some(last) = record_ids.last() else { break };
        after = Some(last.clone());
        gone.extend(still(source, scope, record_ids, &mut matching)?);
    }
    Ok(gone)
}

/// Those of these records that have no row with text at this moment.
pub(crate) fn still(
    source: &Source,
    scope: &Scope,
    record_ids: Vec<String>,
    matching: &mut Matching,
) -> Result<Vec<String>> {
    let same_texts = source.key.same_texts();
    let condition = match scope.comparison {
        Comparison::Texts => format!("{same_texts} and {} is not null", source.text),
        Comparison::Keys => same_texts,
    };
    let live = memory::scoped(|| {
        role::as_restricted(scope.role, || {
            live::flags(source, scope.client_id, &record_ids, &condition, matching)
        })
    })?;
    let flagged = record_ids.into_iter().zip(live);
    Ok(flagged
        .filter(|(_, is_live)| !is_live)
        .map(|(record_id, _)| record_id)
        .collect())
}
