//! Whether there is something for a worker that a former look has not seen.

use std::time::Duration;

use super::installation::Installation;
use super::seen::Seen;
use crate::error::Result;
use crate::pg::spi;

/// Whether a transaction that the look has not seen queued or resumed a job, or noted changes, or a job became due in the time
/// since.
pub(crate) fn any_since(installation: &Installation, seen: &Seen, elapsed: Duration) -> Result<bool> {
    let found = spi::read_first(
        &installation.sql(include_str!("../../sql/query/new_work.sql")),
        &[
            seen.next().into(),
            seen.under_way().into(),
            elapsed.as_secs_f64().into(),
        ],
        |row| row.get(1),
    )?;
    Ok(found.unwrap_or(false))
}
