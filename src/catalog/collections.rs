//! Collections and the vector space each is pinned to. One that is to have another model is built beside the one that
//! serves, and takes its place when it is complete.

use std::time::Duration;

use pgrx::datum::TimestampWithTimeZone;
use vb_engine::policy::chunking::Chunking;

use super::installation::Installation;
use super::references::{self, Owner};
use crate::error::{Result, VbError};
use crate::pg::spi::{self, Row};

/// Letters that a part of a collection's name keeps.
const NAME_PART: usize = 40;

/// Whether anybody reads a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Searches read it.
    Serving,
    /// A job builds it beside the one that serves.
    Building,
}

/// A collection of a client's vectors of a source and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Collection {
    /// Its name in the store.
    pub(crate) name: String,
    /// Whether it serves.
    pub(crate) stage: Stage,
    /// The provider that made it.
    pub(crate) provider: String,
    /// The model it is pinned to.
    pub(crate) model: String,
    /// Numbers in each of its vectors.
    pub(crate) dimensions: i32,
    /// How long texts were cut when its latest vectors were made.
    pub(crate) chunking: Option<Chunking>,
    /// Vectors made before this moment were cut in another way.
    pub(crate) renew_before: Option<TimestampWithTimeZone>,
}

/// The collection that serves, if there is one.
pub(crate) fn active(installation: &Installation, owner: Owner<'_>) -> Result<Option<Collection>> {
    spi::read_first(
        &installation.sql(include_str!("../../sql/query/collection_active.sql")),
        &owner.parameters(),
        |row| of_row(row, Stage::Serving),
    )
}

/// The collection that a job builds, if it has begun with one.
pub(crate) fn building(installation: &Installation, owner: Owner<'_>, job: i64) -> Result<Option<Collection>> {
    spi::read_first(
        &installation.sql(include_str!("../../sql/query/collection_building.sql")),
        &[
            owner.client_id.into(),
            owner.source.into(),
            owner.vector_type.into(),
            job.into(),
        ],
        |row| of_row(row, Stage::Building),
    )
}

fn of_row(row: &Row<'_>, stage: Stage) -> Result<Collection> {
    Ok(Collection {
        name: row.get(1)?,
        stage,
        provider: row.get(2)?,
        model: row.get(3)?,
        dimensions: row.get(4)?,
        chunking: match (row.optional::<i32>(5)?, row.optional::<i32>(6)?) {
            (Some(tokens), Some(overlap)) => Some(Chunking {
                tokens: tokens as usize,
                overlap: overlap as usize,
            }),
            _ => None,
        },
        renew_before: row.optional(7)?,
    })
}

/// Names of all collections.
pub(crate) fn names(installation: &Installation) -> Result<Vec<String>> {
    spi::read(
        &installation.sql(include_str!("../../sql/query/collection_names.sql")),
        &[],
        |row| row.get(1),
    )
}

/// What a new collection is made for.
pub(crate) struct NewCollection<'a> {
    /// Whose vectors.
    pub(crate) owner: Owner<'a>,
    /// Name of the source.
    pub(crate) source_name: &'a str,
    /// Name of the provider.
    pub(crate) provider: &'a str,
    /// Its model.
    pub(crate) model: &'a str,
    /// Numbers in each of its vectors.
    pub(crate) dimensions: i32,
    /// How long texts are cut.
    pub(crate) chunking: Option<Chunking>,
    /// The job that builds it beside the one that serves; `None` when it serves at once.
    pub(crate) builder: Option<i64>,
}

/// Records a new collection, named so that people recognise it.
pub(crate) fn create(installation: &Installation, new: &NewCollection<'_>) -> Result<Collection> {
    let owner = new.owner;
    let (chunk_tokens, chunk_overlap) = numbers(new.chunking);
    let id: i64 = spi::first(
        &installation.sql(include_str!("../../sql/query/collection_create.sql")),
        &[
            owner.client_id.into(),
            owner.source.into(),
            owner.vector_type.into(),
            new.provider.into(),
            new.model.into(),
            new.dimensions.into(),
            chunk_tokens.into(),
            chunk_overlap.into(),
            new.builder.into(),
        ],
        |row| row.get(1),
    )?
    .ok_or_else(|| VbError::internal("a collection was not recorded"))?;
    let name = format!(
        "client_{}_{}_{}_{id}",
        owner.client_id,
        recognisable(new.source_name),
        recognisable(owner.vector_type)
    );
    spi::run(
        &installation.sql(include_str!("../../sql/query/collection_name.sql")),
        &[id.into(), name.as_str().into()],
    )?;
    Ok(Collection {
        name,
        stage: match new.builder {
            Some(_) => Stage::Building,
            None => Stage::Serving,
        },
        provider: new.provider.to_owned(),
        model: new.model.to_owned(),
        dimensions: new.dimensions,
        chunking: new.chunking,
        renew_before: None,
    })
}

/// Forgets a collection without references.
pub(crate) fn remove(installation: &Installation, collection: &str) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/collection_remove.sql")),
        &[collection.into()],
    )
    .map(|_| ())
}

/// Forgets those of the named that do not serve, since the store has lost them (its folder is in no base backup): their job
/// begins anew.
pub(crate) fn forget_unfinished(installation: &Installation, lost: &[String]) -> Result<()> {
    let statement = installation.sql(include_str!("../../sql/query/collections_not_serving.sql"));
    for name in spi::read(&statement, &[lost.to_vec().into()], |row| row.get::<String>(1))? {
        while !references::abandon(installation, &name)? {}
        remove(installation, &name)?;
    }
    Ok(())
}

/// Collections that no job builds any more, and those retired for longer than a search may take.
pub(crate) fn idle(installation: &Installation, longest_search: Duration) -> Result<Vec<String>> {
    spi::read(
        &installation.sql(include_str!("../../sql/query/collections_idle.sql")),
        &[longest_search.as_secs_f64().into()],
        |row| row.get(1),
    )
}

/// The collection that a job has built serves from now on, in the place of the one that did.
pub(crate) fn switch(installation: &Installation, owner: Owner<'_>, built: &Collection, job: i64) -> Result<()> {
    references::take_over(installation, owner, &built.name)?;
    spi::run(
        &installation.sql(include_str!("../../sql/query/collection_retire.sql")),
        &owner.parameters(),
    )?;
    spi::run(
        &installation.sql(include_str!("../../sql/query/collection_activate.sql")),
        &[built.name.as_str().into()],
    )?;
    spi::run(
        &installation.sql(include_str!("../../sql/query/job_end_reembed.sql")),
        &[job.into()],
    )
    .map(|_| ())
}

/// From now on texts are cut in another way; vectors made until now are to be renewed.
pub(crate) fn change_chunking(
    installation: &Installation,
    collection: &mut Collection,
    chunking: Option<Chunking>,
) -> Result<()> {
    let (chunk_tokens, chunk_overlap) = numbers(chunking);
    collection.renew_before = spi::first(
        &installation.sql(include_str!("../../sql/query/collection_change_chunking.sql")),
        &[
            collection.name.as_str().into(),
            chunk_tokens.into(),
            chunk_overlap.into(),
        ],
        |row| row.get(1),
    )?;
    collection.chunking = chunking;
    Ok(())
}

fn numbers(chunking: Option<Chunking>) -> (Option<i32>, Option<i32>) {
    (
        chunking.map(|chunking| chunking.tokens as i32),
        chunking.map(|chunking| chunking.overlap as i32),
    )
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
