//! Collections whose vectors a store has lost, though references name them.

use vb_engine::store::place::StoreKind;

use super::installation::Installation;
use super::jobs;
use crate::error::Result;
use crate::pg::spi;

/// Which of several lost collections are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// All of them.
    Any,
    /// Those that a job builds; searches say themselves that a collection has lost its vectors.
    Building,
    /// Those of a client: others may have shares of the same collection.
    Of(i64),
}

/// What the references of these collections name is lost: it is to be made again, and a job that builds one of them begins
/// anew. Gives those that had references, other than such as are to be made again
/// already.
pub(crate) fn renew(installation: &Installation, store: StoreKind, names: &[String], lost: Lost) -> Result<Vec<i64>> {
    let renewed = spi::rows(
        &installation.sql(include_str!("../../sql/query/collections_renew.sql")),
        &[
            store.name().into(),
            names.to_vec().into(),
            (lost == Lost::Building).into(),
            match lost {
                Lost::Of(client) => Some(client),
                Lost::Any | Lost::Building => None,
            }
            .into(),
        ],
        |row| Ok((row.get::<i64>(1)?, row.optional::<i64>(2)?)),
    )?;
    for job in renewed.iter().filter_map(|(_, job)| *job) {
        jobs::begin_anew(installation, job)?;
    }
    Ok(renewed.into_iter().map(|(collection, _)| collection).collect())
}
