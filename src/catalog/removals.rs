//! What is still to be removed from stores, which may not answer at the moment.

use vb_engine::store::place::Place;
use vb_engine::store::share::Share;

use super::collections;
use super::installation::Installation;
use crate::error::Result;
use crate::pg::spi;

/// A collection, or a client's share of one, that nothing refers to any more.
#[derive(Debug)]
pub(crate) struct Removal {
    /// Its number.
    pub(crate) id: i64,
    /// What is to be removed.
    pub(crate) place: Place,
    /// Whether it is not to be removed any more, since somebody has it again.
    pub(crate) is_obsolete: bool,
}

/// Some of those that are to be done, the oldest first, without those that were begun.
pub(crate) fn pending(installation: &Installation, begun: Vec<i64>, most: i64) -> Result<Vec<Removal>> {
    spi::read(
        &installation.sql(include_str!("../../sql/query/collection_removals.sql")),
        &[begun.into(), most.into()],
        |row| {
            Ok(Removal {
                id: row.get(1)?,
                place: Place {
                    store: collections::store(&row.get::<String>(2)?)?,
                    share: Share {
                        collection: row.get(3)?,
                        client_id: row.optional(4)?,
                    },
                },
                is_obsolete: row.get(5)?,
            })
        },
    )
}

/// They are done.
pub(crate) fn done(installation: &Installation, removals: Vec<i64>) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/collection_removed.sql")),
        &[removals.into()],
    )
    .map(|_| ())
}
