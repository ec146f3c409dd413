//! Whether a transaction sees what others commit meanwhile.

use crate::error::{Result, VbError};
use crate::pg::spi;

/// An error unless each statement sees what was committed before it. `what` cannot be done otherwise.
pub(crate) fn require_moving(what: &str) -> Result<()> {
    let level = spi::read_first(include_str!("../../../sql/query/isolation.sql"), &[], |row| {
        row.get::<String>(1)
    })?;
    match level.as_deref() {
        Some(level @ ("repeatable read" | "serializable")) => {
            Err(VbError::wrong_state(format!("a {level} transaction cannot {what}"))
                .hint("Do it in a READ COMMITTED transaction."))
        }
        _ => Ok(()),
    }
}
