//! What an error on the Postgres side means for a job, or for whoever enqueues one again and again.

use crate::error::VbError;

/// The consequence of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The job can never go on: its table or a column of it is gone.
    Fail,
    /// Somebody has to change something: a right, a setting.
    Pause,
    /// One of the rows is at fault.
    Record,
    /// The worker stopped it for a reason of its own; nothing is wrong.
    Interrupted,
    /// May pass by itself.
    Later,
}

impl Fault {
    /// Decides by the SQLSTATE.
    pub(crate) fn of(error: &VbError) -> Self {
        let state = error.sqlstate();
        match state.as_str() {
            "57000" => Self::Interrupted,
            // Undefined table, column, object; invalid schema name.
            "42P01" | "42703" | "3F000" => Self::Fail,
            // Permission denied, wrong type of object or column, no provider, limits and other prerequisites.
            "42501" | "42809" | "42804" | "42704" | "22023" | "55000" | "53400" => Self::Pause,
            other => match &other[..2] {
                // Data exceptions, integrity, limits, errors of functions and those raised by hand, corrupted data.
                "0A" | "21" | "22" | "23" | "2F" | "38" | "39" | "54" | "P0" | "XX" => Self::Record,
                // Other errors in the statement itself.
                "42" => Self::Pause,
                _ => Self::Later,
            },
        }
    }
}
