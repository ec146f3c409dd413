//! A client's rows with vectors that they have already, page by page.

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::Oid;
use vb_engine::fields::Fields;

use super::columns::Relation;
use super::describe::Source;
use super::pages::LONGEST_RECORD_ID;
use super::payload::{self, LONGEST_PAYLOAD};
use crate::error::{Result, VbError};
use crate::pg::role;
use crate::pg::spi::Cursor;

/// Rows read at a time: 1,536 dimensions as JSON are some 20 kB.
const PAGE: usize = 200;

/// Bytes of a text that goes to the worker with its vector.
const LONGEST_TEXT: usize = 2 << 20;

/// Bytes of a number as JSON, at most.
const NUMBER_BYTES: usize = 14;

/// Types of a column whose values are taken for vectors; the last two are those of pgvector.
const TYPES: [&str; 4] = ["real[]", "double precision[]", "vector", "halfvec"];

/// A row with a text and a vector.
#[derive(Debug)]
pub(crate) struct VectorRow {
    /// Its key as text.
    pub(crate) record_id: String,
    /// Its text.
    pub(crate) text: String,
    /// SHA-256 of the text.
    pub(crate) content_hash: Vec<u8>,
    /// Its payload columns.
    pub(crate) fields: Fields,
    /// Bytes of these.
    fields_bytes: i32,
    /// Its vector.
    pub(crate) vector: Vec<f32>,
}

/// The rows of a client that have both, newest first.
pub(crate) struct VectorRows {
    cursor: Cursor,
    role: Oid,
}

impl VectorRows {
    /// Begins to read them as the role.
    pub(crate) fn open(source: &Source, role: Oid, client_id: i64, vector_column: &str) -> Result<Self> {
        let relation = Relation::read(source.oid)?;
        let column = relation.require(vector_column, "vector")?;
        // With or without a schema and a number of dimensions.
        let bare = column.type_name.rsplit('.').next().unwrap_or_default();
        let bare = bare.split('(').next().unwrap_or_default();
        if !TYPES.contains(&bare) {
            return Err(VbError::new(
                PgSqlErrorCode::ERRCODE_DATATYPE_MISMATCH,
                format!(
                    "column {vector_column:?} of {} is of type {}",
                    source.name, column.type_name
                ),
            )
            .hint("Name a column of type real[], double precision[] or pgvector's vector."));
        }
        let query = format!(
            "select {key}, t.text, sha256(convert_to(t.text, 'UTF8')), s.{vector}::real[], \
                    case when octet_length(t.fields) <= {LONGEST_PAYLOAD} then t.fields end, \
                    encode(sha256(convert_to(t.fields, 'UTF8')), 'hex'), octet_length(t.fields) \
             from {source} s cross join lateral (select {text}, {fields} offset 0) t(text, fields) \
             where {filter} and t.text is not null and s.{vector} is not null order by {order}",
            key = source.key.expression(),
            vector = column.quoted(),
            source = source.name,
            text = source.text,
            fields = source.payload.expression(),
            filter = source.filter,
            order = source.order,
        );
        let cursor = role::as_restricted(role, || Cursor::open(&query, &[client_id.into()]))?;
        Ok(Self { cursor, role })
    }

    /// The next rows, none at the end.
    pub(crate) fn next(&mut self) -> Result<Vec<VectorRow>> {
        let cursor = &mut self.cursor;
        let rows = role::as_restricted(self.role, || {
            cursor.fetch(PAGE, |row| {
                let fields = row.optional::<String>(5)?;
                Ok(VectorRow {
                    fields_bytes: row.optional::<i32>(7)?.unwrap_or(0),
                    fields: payload::fields(fields.as_deref(), row.optional(6)?)?,
                    record_id: row.get(1)?,
                    text: row.get(2)?,
                    content_hash: row.get(3)?,
                    // Positions with NULL make it none: they are read as what no number is.
                    vector: row
                        .get::<Vec<Option<f32>>>(4)?
                        .into_iter()
                        .map(|number| number.unwrap_or(f32::NAN))
                        .collect(),
                })
            })
        })?;
        Ok(rows)
    }
}

impl VectorRow {
    /// Why it cannot be taken over, if it cannot; the worker finds out more.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        if self.record_id.len() > LONGEST_RECORD_ID {
            Some("its key is too long")
        } else if self.text.len() > LONGEST_TEXT {
            Some("its text is too long")
        } else if self.fields_bytes > LONGEST_PAYLOAD {
            Some("its payload columns are too long")
        } else if !self.vector.iter().all(|number| number.is_finite()) {
            Some("it has a number that is not finite")
        } else {
            None
        }
    }

    /// Bytes that it takes on its way to the worker, about.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len() + self.fields.size() + NUMBER_BYTES * self.vector.len()
    }
}
