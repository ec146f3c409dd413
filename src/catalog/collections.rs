//! Collections and the vector space each is pinned to. One that is to have another model is built beside the one that
//! serves, and takes its place when it is complete.

use std::time::Duration;

use pgrx::datum::TimestampWithTimeZone;
use vb_engine::policy::chunking::Chunking;
use vb_engine::store::place::{NoSuchStore, Place, StoreKind};
use vb_engine::store::share::Share;

use super::installation::Installation;
use super::references::{self, Owner};
use super::spending;
use crate::error::{Result, VbError};
use crate::pg::spi::{self, Row};

/// Letters that a part of a collection's name keeps.
const NAME_PART: usize = 40;

/// Letters of the installation's id that a collection's name has.
const MARK: usize = 8;

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
    /// Its number.
    pub(crate) id: i64,
    /// The store that keeps it.
    pub(crate) store: StoreKind,
    /// Whether several clients have shares of it.
    pub(crate) is_shared: bool,
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

impl Collection {
    /// Where a client's points are in it.
    pub(crate) fn place(&self, client_id: i64) -> Place {
        Place {
            store: self.store,
            share: Share {
                collection: self.name.clone(),
                client_id: self.is_shared.then_some(client_id),
            },
        }
    }
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
        id: row.get(1)?,
        store: store(&row.get::<String>(9)?)?,
        is_shared: row.get(10)?,
        name: row.get(2)?,
        stage,
        provider: row.get(3)?,
        model: row.get(4)?,
        dimensions: row.get(5)?,
        chunking: match (row.optional::<i32>(6)?, row.optional::<i32>(7)?) {
            (Some(tokens), Some(overlap)) => Some(Chunking {
                tokens: tokens as usize,
                overlap: overlap as usize,
            }),
            _ => None,
        },
        renew_before: row.optional(8)?,
    })
}

/// What others who read the store may call the collection, if there is a name for that.
pub(crate) fn alias(installation: &Installation, collection: i64) -> Result<Option<String>> {
    let statement = installation.sql(include_str!("../../sql/query/collection_alias.sql"));
    Ok(spi::read_first(&statement, &[collection.into()], |row| row.optional(1))?.flatten())
}

/// The store that keeps a collection; `None` when it is gone.
pub(crate) fn store_of(installation: &Installation, collection: i64) -> Result<Option<StoreKind>> {
    let statement = installation.sql(include_str!("../../sql/query/collection_store.sql"));
    let name = spi::read_first(&statement, &[collection.into()], |row| row.get::<String>(1))?;
    name.map(|name| store(&name)).transpose()
}

/// How many points a collection should have: as many as references name.
pub(crate) fn expected_points(installation: &Installation, collection: i64) -> Result<i64> {
    let statement = installation.sql(include_str!("../../sql/query/collection_references.sql"));
    Ok(spi::read_first(&statement, &[collection.into()], |row| row.get(1))?.unwrap_or(0))
}

/// A collection is in another store from now on. What it has in the former one is removed when no search, which may take
/// so long, can read it there.
pub(crate) fn put_into(
    installation: &Installation,
    collection: i64,
    store: StoreKind,
    longest_search: Duration,
) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/collection_move.sql")),
        &[
            collection.into(),
            store.name().into(),
            longest_search.as_secs_f64().into(),
        ],
    )
    .map(|_| ())
}

/// Names of all embedded collections.
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
    /// The store that is to keep it.
    pub(crate) store: StoreKind,
    /// Whether clients are to share it.
    pub(crate) is_shared: bool,
}

/// Records a new collection, named so that people recognise it; or a share of one that other clients have already.
pub(crate) fn create(installation: &Installation, new: &NewCollection<'_>) -> Result<Collection> {
    let owner = new.owner;
    // One that is built takes the place of another.
    if new.builder.is_none() {
        spending::require_room_for_collection(installation, owner.client_id)?;
    }
    let shared = if new.is_shared {
        shared(installation, new)?
    } else {
        None
    };
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
            new.store.name().into(),
            new.is_shared.into(),
        ],
        |row| row.get(1),
    )?
    .ok_or_else(|| VbError::internal("a collection was not recorded"))?;
    let names = match shared {
        Some(name) => Names { name, alias: None },
        None => names_of(installation, new, id)?,
    };
    spi::run(
        &installation.sql(include_str!("../../sql/query/collection_name.sql")),
        &[id.into(), names.name.as_str().into(), names.alias.into()],
    )?;
    Ok(Collection {
        id,
        store: new.store,
        is_shared: new.is_shared,
        name: names.name,
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

/// What a collection is called.
struct Names {
    name: String,
    /// What whichever generation serves is called, for others who read the store.
    alias: Option<String>,
}

/// Names for a new collection. The number makes them unique in this installation, its mark in a store that several have;
/// so it does not matter to what the words before them were shortened.
fn names_of(installation: &Installation, new: &NewCollection<'_>, id: i64) -> Result<Names> {
    let mark = installation
        .id()?
        .ok_or_else(|| VbError::internal("the installation has no id"))?
        .simple()
        .to_string();
    let mark = &mark[..MARK];
    let words = format!(
        "{}_{}",
        recognisable(new.source_name),
        recognisable(new.owner.vector_type)
    );
    if new.is_shared {
        return Ok(Names {
            name: format!("shared_{words}_{id}_{mark}"),
            alias: None,
        });
    }
    let words = format!("client_{}_{words}", new.owner.client_id);
    Ok(Names {
        name: format!("{words}_{id}_{mark}"),
        alias: Some(format!("{words}_{mark}")),
    })
}

/// The name of a collection that other clients have and this one can have a share of.
fn shared(installation: &Installation, new: &NewCollection<'_>) -> Result<Option<String>> {
    let owner = new.owner;
    spi::read_first(
        &installation.sql(include_str!("../../sql/query/collection_shared.sql")),
        &[
            owner.client_id.into(),
            owner.source.into(),
            owner.vector_type.into(),
            new.model.into(),
            new.dimensions.into(),
            new.store.name().into(),
        ],
        |row| row.get(1),
    )
}

/// Forgets a collection without references; what it has in its store is removed soon after.
pub(crate) fn remove(installation: &Installation, collection: i64) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/collection_remove.sql")),
        &[collection.into()],
    )
    .map(|_| ())
}

/// Collections that no job builds any more, and those retired for longer than a search may take.
pub(crate) fn idle(installation: &Installation, longest_search: Duration) -> Result<Vec<i64>> {
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
        &[built.id.into()],
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
        &[collection.id.into(), chunk_tokens.into(), chunk_overlap.into()],
        |row| row.get(1),
    )?;
    collection.chunking = chunking;
    Ok(())
}

/// The store of this name.
pub(crate) fn store(name: &str) -> Result<StoreKind> {
    name.parse()
        .map_err(|error: NoSuchStore| VbError::internal(error.to_string()))
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
