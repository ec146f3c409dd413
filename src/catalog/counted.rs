//! How many rows with text clients have, for `vb_coverage`.

use super::installation::Installation;
use super::references::Owner;
use crate::error::Result;
use crate::pg::spi;

/// All rows of an owner were looked at.
pub(crate) fn set(installation: &Installation, owner: Owner<'_>, records: u64) -> Result<()> {
    let statement = installation.sql(include_str!("../../sql/query/records_counted.sql"));
    change(&statement, owner, i64::try_from(records).unwrap_or(i64::MAX))
}

/// How many there are, as far as is known.
pub(crate) fn known(installation: &Installation, owner: Owner<'_>) -> Result<i64> {
    let statement = installation.sql(include_str!("../../sql/query/records_counted_now.sql"));
    let known = spi::read_first(&statement, &owner.parameters(), |row| row.get(1))?;
    Ok(known.unwrap_or(0))
}

/// So many more, or less, are there since.
pub(crate) fn add(installation: &Installation, owner: Owner<'_>, records: i64) -> Result<()> {
    if records == 0 {
        return Ok(());
    }
    let statement = installation.sql(include_str!("../../sql/query/records_changed.sql"));
    change(&statement, owner, records)
}

fn change(statement: &str, owner: Owner<'_>, records: i64) -> Result<()> {
    let [client, source, vector_type] = owner.parameters();
    spi::run(statement, &[client, source, vector_type, records.into()]).map(|_| ())
}
