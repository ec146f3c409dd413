//! The time on a wall somewhere.

use crate::error::{Result, VbError};
use crate::pg::{spi, transaction};

/// What clocks show in a time zone.
#[derive(Debug, Clone)]
pub(crate) struct LocalTime {
    /// Date and time, as ISO 8601 writes them.
    pub(crate) text: String,
    /// Name of the time zone.
    pub(crate) time_zone: String,
}

/// Now, in a time zone or in that of the session.
pub(crate) fn now(time_zone: Option<String>) -> Result<LocalTime> {
    let read = || {
        spi::read_first(
            include_str!("../../sql/query/time_zone.sql"),
            &[time_zone.as_deref().into()],
            |row| {
                let time = LocalTime {
                    text: row.get(1)?,
                    time_zone: row.get(2)?,
                };
                Ok((time, row.get::<bool>(3)?))
            },
        )
    };
    let wrong = |message: String| VbError::invalid(message).hint("select * from pg_timezone_names lists time zones.");
    let found = transaction::attempt(read).map_err(|error| match error.sqlstate().as_str() {
        "22023" => wrong(error.message),
        _ => error,
    })?;
    match found {
        Some((time, true)) => Ok(time),
        Some((time, false)) => Err(wrong(format!(
            "time zone {:?} has no name that is known everywhere",
            time.time_zone
        ))),
        None => Err(VbError::internal("there is no time")),
    }
}
