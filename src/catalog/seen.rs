//! Which transactions a look at the database has seen.

use super::installation::Installation;
use crate::error::Result;
use crate::pg::spi;

/// All transactions but those that began later and those that were under way.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    next: String,
    under_way: Vec<String>,
}

impl Seen {
    /// Nothing was seen.
    pub(crate) fn nothing() -> Self {
        Self {
            next: "0".to_owned(),
            under_way: Vec::new(),
        }
    }

    /// What a statement that follows sees.
    pub(crate) fn now(installation: &Installation) -> Result<Self> {
        let statement = installation.sql(include_str!("../../sql/query/seen.sql"));
        let seen = spi::read_first(&statement, &[], |row| {
            Ok(Self {
                next: row.get(1)?,
                under_way: row.get(2)?,
            })
        })?;
        Ok(seen.unwrap_or_else(Self::nothing))
    }

    /// The first transaction that had not begun.
    pub(super) fn next(&self) -> &str {
        &self.next
    }

    /// Those that were under way.
    pub(super) fn under_way(&self) -> Vec<String> {
        self.under_way.clone()
    }
}
