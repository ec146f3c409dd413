//! Finds references whose row is gone, no longer passes the filter, or has no text any more.

use std::collections::HashSet;

use super::describe::Source;
use super::reader::key_arguments;
use super::work_list::{Comparison, Scope};
use crate::catalog::installation::Installation;
use crate::error::Result;
use crate::pg::{memory, role, signal, spi};

/// References looked at in one statement.
const PAGE: i64 = 5_000;

/// Record ids that have a reference and no row with text, at most about `limit` of them.
pub(crate) fn find(installation: &Installation, source: &Source, scope: &Scope, limit: usize) -> Result<Vec<String>> {
    let page_query = installation.sql(include_str!("../../sql/query/referenced_records.sql"));
    let has_text = match scope.comparison {
        Comparison::Texts => format!("{} is not null", source.text),
        Comparison::Keys => "true".to_owned(),
    };
    let live_query = format!(
        "select k.n from {join} where {filter} and {has_text}",
        join = source.key.join(&source.name, 2),
        filter = source.filter,
    );
    let mut gone = Vec::new();
    let mut after: Option<String> = None;
    loop {
        signal::check_interrupts();
        let record_ids = spi::read(
            &page_query,
            &[
                scope.client_id.into(),
                source.oid.into(),
                scope.vector_type.as_str().into(),
                after.clone().into(),
                PAGE.into(),
            ],
            |row| row.get::<String>(1),
        )?;
        let Some(last) = record_ids.last() else { return Ok(gone) };
        after = Some(last.clone());
        let live = memory::scoped(|| {
            let arguments = key_arguments(source, scope.client_id, &record_ids)?;
            role::as_restricted(scope.role, || {
                spi::read(&live_query, &arguments, |row| row.get::<i64>(1))
            })
        })?;
        let live: HashSet<i64> = live.into_iter().collect();
        gone.extend(
            record_ids
                .into_iter()
                .zip(1..)
                .filter(|(_, position)| !live.contains(position))
                .map(|(record_id, _)| record_id),
        );
        if gone.len() >= limit {
            return Ok(gone);
        }
    }
}
