//! Rows against references.

use super::Verified;
use crate::catalog::installation::Installation;
use crate::catalog::references::Owner;
use crate::error::Result;
use crate::pg::{memory, spi};
use crate::source::describe::Source;
use crate::source::work_list::Scope;
use crate::source::{gone, pages};

/// Records without a row that are counted one by one.
const MOST_GONE: usize = 1_000_000;

/// Counts rows without a reference, references of other texts, and references without a row.
pub(super) fn compare(
    installation: &Installation,
    source: &Source,
    scope: &Scope,
    owner: Owner<'_>,
    go_on: &dyn Fn() -> Result<()>,
    found: &mut Verified,
) -> Result<()> {
    let statement = installation.sql(include_str!("../../../../sql/query/verify_records.sql"));
    let jobs: Vec<i64> = spi::read(
        &installation.sql(include_str!("../../../../sql/query/jobs_of_owner.sql")),
        &owner.parameters(),
        |row| row.get(1),
    )?;
    let mut with_row = 0;
    pages::each(source, scope, true, go_on, &mut |page| {
        let compared = memory::scoped(|| {
            spi::read_first(
                &statement,
                &[
                    owner.client_id.into(),
                    owner.source.into(),
                    owner.vector_type.into(),
                    page.record_ids.into(),
                    page.hashes.into(),
                    jobs.clone().into(),
                    scope.collection.as_str().into(),
                    scope.renew_before.into(),
                ],
                |row| Ok((row.get::<i64>(1)?, row.get::<i64>(2)?, row.get::<i64>(3)?)),
            )
        })?;
        let (missing, stale, referenced) = compared.unwrap_or_default();
        found.missing_records += missing;
        found.stale_records += stale;
        with_row += referenced;
        Ok(())
    })?;
    let statement = installation.sql(include_str!("../../../../sql/query/count_referenced_records.sql"));
    let statement = statement.replace("@references@", "qdrant_vectors");
    let referenced = spi::read_first(&statement, &owner.parameters(), |row| row.get::<i64>(1))?;
    if referenced.unwrap_or(0) > with_row {
        found.orphan_references = gone::find(installation, source, scope, MOST_GONE, go_on)?.len() as i64;
    }
    Ok(())
}
