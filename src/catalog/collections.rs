//! Collections and the vector space each is pinned to.

use super::installation::Installation;
use super::references::Owner;
use crate::error::{Result, VbError};
use crate::pg::spi;

/// Letters that a part of a collection's name keeps.
const NAME_PART: usize = 40;

/// The collection that serves a client's vectors of a source and type now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Collection {
    /// Its name in the store.
    pub(crate) name: String,
    /// The provider that made it.
    pub(crate) provider: String,
    /// The model it is pinned to.
    pub(crate) model: String,
    /// Numbers in each of its vectors.
    pub(crate) dimensions: i32,
}

/// The active collection, if there is one.
pub(crate) fn active(installation: &Installation, owner: Owner<'_>) -> Result<Option<Collection>> {
    spi::read_first(
        &installation.sql(include_str!("../../sql/query/collection_active.sql")),
        &[owner.client_id.into(), owner.source.into(), owner.vector_type.into()],
        |row| {
            Ok(Collection {
                name: row.get(1)?,
                provider: row.get(2)?,
                model: row.get(3)?,
                dimensions: row.get(4)?,
            })
        },
    )
}

/// Records a new collection, named so that people recognise it.
pub(crate) fn create(
    installation: &Installation,
    owner: Owner<'_>,
    source_name: &str,
    provider: &str,
    model: &str,
    dimensions: i32,
) -> Result<Collection> {
    let id: i64 = spi::first(
        &installation.sql(include_str!("../../sql/query/collection_create.sql")),
        &[
            owner.client_id.into(),
            owner.source.into(),
            owner.vector_type.into(),
            provider.into(),
            model.into(),
            dimensions.into(),
        ],
        |row| row.get(1),
    )?
    .ok_or_else(|| VbError::internal("a collection was not recorded"))?;
    let name = format!(
        "client_{}_{}_{}_{id}",
        owner.client_id,
        recognisable(source_name),
        recognisable(owner.vector_type)
    );
    spi::run(
        &installation.sql(include_str!("../../sql/query/collection_name.sql")),
        &[id.into(), name.as_str().into()],
    )?;
    Ok(Collection {
        name,
        provider: provider.to_owned(),
        model: model.to_owned(),
        dimensions,
    })
}

/// Letters and digits of a name; whatever else it has becomes `_`.
fn recognisable(name: &str) -> String {
    name.chars()
        .take(NAME_PART)
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect()
}
