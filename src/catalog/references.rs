//! `qdrant_vectors`: which records have which points, and from which text. Those of a collection that is being built beside
//! another one wait in `vb_next_vectors`.

use std::collections::HashMap;

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::Oid;
use vb_engine::batch::EmbeddedRecord;

use super::collections::{Collection, Stage};
use super::installation::Installation;
use crate::error::{Result, VbError};
use crate::pg::spi;

/// What stands for the hash of payload columns that are to be set again, in hexadecimal; see `references_doubt_fields.sql`.
pub(crate) const DOUBTED_FIELDS: &str = "00";

/// References that are forgotten in one statement.
const ABANDONED_AT_A_TIME: i64 = 20_000;

/// Whose references.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner<'a> {
    /// The client.
    pub(crate) client_id: i64,
    /// The source.
    pub(crate) source: Oid,
    /// The vector type.
    pub(crate) vector_type: &'a str,
}

impl<'a> Owner<'a> {
    /// The same as parameters 1 to 3 of a statement.
    pub(crate) fn parameters(self) -> [DatumWithOid<'a>; 3] {
        [self.client_id.into(), self.source.into(), self.vector_type.into()]
    }
}

/// What is recorded of a record.
#[derive(Debug, Default)]
pub(crate) struct Present {
    /// Its points.
    pub(crate) points: Vec<uuid::Uuid>,
    /// Hash of the text they were made from, when they are in the asked collection and need not be renewed.
    pub(crate) hash: Option<Vec<u8>>,
    /// Hash of the payload columns that they carry, in hexadecimal.
    pub(crate) fields_hash: String,
}

/// A reference that its point contradicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// Of the vector, or all of it.
    Vector,
    /// Of the payload columns only.
    Fields,
}

/// A statement of `sql/query` about the references of collections in this stage.
pub(crate) fn sql(installation: &Installation, stage: Stage, statement: &str) -> String {
    let table = match stage {
        Stage::Serving => "qdrant_vectors",
        Stage::Building => "vb_next_vectors",
    };
    installation.sql(statement).replace("@references@", table)
}

/// What is recorded of these records; those without a reference are missing.
pub(crate) fn present(
    installation: &Installation,
    owner: Owner<'_>,
    record_ids: &[String],
    collection: &Collection,
) -> Result<HashMap<String, Present>> {
    let mut found: HashMap<String, Present> = HashMap::new();
    spi::read(
        &sql(
            installation,
            collection.stage,
            include_str!("../../sql/query/references_present.sql"),
        ),
        &[
            owner.client_id.into(),
            owner.source.into(),
            owner.vector_type.into(),
            record_ids.to_vec().into(),
            collection.name.as_str().into(),
            collection.renew_before.into(),
        ],
        |row| {
            let present = found.entry(row.get(1)?).or_default();
            let point: String = row.get(4)?;
            let point =
                uuid::Uuid::parse_str(&point).map_err(|_| VbError::internal(format!("{point:?} is not a point id")))?;
            present.points.push(point);
            let first_chunk = row.get::<i32>(2)? == 0;
            if first_chunk && row.get::<bool>(5)? && !row.get::<bool>(6)? {
                present.hash = Some(row.get(3)?);
            }
            if first_chunk {
                present.fields_hash = row.get(7)?;
            }
            Ok(())
        },
    )?;
    Ok(found)
}

/// Records embedded records and drops chunks that they no longer have.
pub(crate) fn upsert(
    installation: &Installation,
    owner: Owner<'_>,
    collection: &Collection,
    provider: &str,
    embedded: &[EmbeddedRecord],
) -> Result<()> {
    let chunks: usize = embedded.iter().map(|record| record.chunks.len()).sum();
    let mut record_ids = Vec::with_capacity(chunks);
    let mut chunk_numbers = Vec::with_capacity(chunks);
    let mut points = Vec::with_capacity(chunks);
    let mut hashes = Vec::with_capacity(chunks);
    let mut tokens = Vec::with_capacity(chunks);
    let mut fields_hashes = Vec::with_capacity(chunks);
    for record in embedded {
        for (number, chunk) in record.chunks.iter().enumerate() {
            record_ids.push(record.record_id.clone());
            chunk_numbers.push(number as i32);
            points.push(chunk.point_id.to_string());
            hashes.push(record.content_hash.to_vec());
            tokens.push(chunk.tokens as i32);
            fields_hashes.push(record.fields_hash.clone());
        }
    }
    spi::run(
        &sql(
            installation,
            collection.stage,
            include_str!("../../sql/query/references_upsert.sql"),
        ),
        &[
            owner.client_id.into(),
            owner.source.into(),
            owner.vector_type.into(),
            collection.name.as_str().into(),
            provider.into(),
            collection.model.as_str().into(),
            collection.dimensions.into(),
            record_ids.into(),
            chunk_numbers.into(),
            points.into(),
            hashes.into(),
            tokens.into(),
            fields_hashes.into(),
        ],
    )?;
    let record_ids: Vec<String> = embedded.iter().map(|record| record.record_id.clone()).collect();
    let counts: Vec<i32> = embedded.iter().map(|record| record.chunks.len() as i32).collect();
    spi::run(
        &sql(
            installation,
            collection.stage,
            include_str!("../../sql/query/references_delete_surplus.sql"),
        ),
        &[
            owner.client_id.into(),
            owner.source.into(),
            owner.vector_type.into(),
            record_ids.into(),
            counts.into(),
        ],
    )
    .map(|_| ())
}

/// Records that the points of these records carry other payload columns.
pub(crate) fn set_fields(
    installation: &Installation,
    owner: Owner<'_>,
    stage: Stage,
    (record_ids, hashes): (Vec<String>, Vec<String>),
) -> Result<()> {
    spi::run(
        &sql(
            installation,
            stage,
            include_str!("../../sql/query/references_set_fields.sql"),
        ),
        &[
            owner.client_id.into(),
            owner.source.into(),
            owner.vector_type.into(),
            record_ids.into(),
            hashes.into(),
        ],
    )
    .map(|_| ())
}

/// Deletes the references of records whose row is gone; returns how many records had any.
pub(crate) fn delete(
    installation: &Installation,
    owner: Owner<'_>,
    stage: Stage,
    record_ids: &[String],
) -> Result<i64> {
    let deleted = spi::first(
        &sql(
            installation,
            stage,
            include_str!("../../sql/query/references_delete.sql"),
        ),
        &[
            owner.client_id.into(),
            owner.source.into(),
            owner.vector_type.into(),
            record_ids.to_vec().into(),
        ],
        |row| row.get(1),
    )?;
    Ok(deleted.unwrap_or(0))
}

/// What these records have is not true any more: the next backfill makes their vectors, or sets their fields, again.
pub(crate) fn doubt(
    installation: &Installation,
    owner: Owner<'_>,
    stage: Stage,
    record_ids: Vec<String>,
    doubt: Doubt,
) -> Result<()> {
    if record_ids.is_empty() {
        return Ok(());
    }
    let statement = match doubt {
        Doubt::Vector => include_str!("../../sql/query/references_doubt.sql"),
        Doubt::Fields => include_str!("../../sql/query/references_doubt_fields.sql"),
    };
    spi::run(
        &sql(installation, stage, statement),
        &[
            owner.client_id.into(),
            owner.source.into(),
            owner.vector_type.into(),
            record_ids.into(),
        ],
    )
    .map(|_| ())
}

/// Whether a client has any in the collection that serves.
pub(crate) fn any(installation: &Installation, owner: Owner<'_>) -> Result<bool> {
    let found = spi::read_first(
        &sql(
            installation,
            Stage::Serving,
            include_str!("../../sql/query/references_any.sql"),
        ),
        &owner.parameters(),
        |row| row.get(1),
    )?;
    Ok(found.unwrap_or(false))
}

/// Those of the collection that was built take the place of those of the one that served.
pub(crate) fn take_over(installation: &Installation, owner: Owner<'_>, built: &str) -> Result<()> {
    forget(installation, owner, Stage::Serving)?;
    spi::run(
        &installation.sql(include_str!("../../sql/query/references_take_over.sql")),
        &[
            owner.client_id.into(),
            owner.source.into(),
            owner.vector_type.into(),
            built.into(),
        ],
    )?;
    forget(installation, owner, Stage::Building)
}

fn forget(installation: &Installation, owner: Owner<'_>, stage: Stage) -> Result<()> {
    spi::run(
        &sql(
            installation,
            stage,
            include_str!("../../sql/query/references_of_owner_delete.sql"),
        ),
        &owner.parameters(),
    )
    .map(|_| ())
}

/// Forgets some of those of a collection that nobody builds any more; true when none is left.
pub(crate) fn abandon(installation: &Installation, collection: i64) -> Result<bool> {
    let forgotten = spi::run(
        &sql(
            installation,
            Stage::Building,
            include_str!("../../sql/query/references_of_collection_delete.sql"),
        ),
        &[collection.into(), ABANDONED_AT_A_TIME.into()],
    )?;
    Ok(forgotten < ABANDONED_AT_A_TIME as u64)
}
