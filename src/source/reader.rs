//! Reads the rows of a batch as they are now.

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::Oid;
use vb_engine::fields::Fields;

use super::describe::Source;
use super::key::Matching;
use super::payload::{self, LONGEST_PAYLOAD};
use crate::error::{Result, VbError};
use crate::pg::role;
use crate::pg::spi::{Cursor, Row};

/// The most rows fetched at a time, each of which may be as long as a text may be.
const PAGE: usize = 8;

/// A page with this many bytes is followed by one of a single row, since each may be as large.
const LARGE_PAGE: usize = 1024 * 1024;

/// A row as it is now.
#[derive(Debug)]
pub(crate) struct SourceRow {
    /// Its key as text.
    pub(crate) record_id: String,
    /// Its text.
    pub(crate) text: RowText,
    /// Its payload columns.
    pub(crate) fields: Fields,
}

/// The text of a row.
#[derive(Debug)]
pub(crate) enum RowText {
    /// It has none.
    Missing,
    /// It has more bytes, namely this many, than may be read.
    TooLong(i64),
    /// The payload columns have more bytes, namely this many, than points may carry.
    PayloadTooLong(i32),
    /// The text and its SHA-256.
    Text(String, [u8; 32]),
}

impl RowText {
    fn read(row: &Row<'_>) -> Result<Self> {
        let Some(bytes) = row.optional::<i64>(3)? else {
            return Ok(Self::Missing);
        };
        if let Some(bytes) = row.optional::<i32>(8)?.filter(|bytes| *bytes > LONGEST_PAYLOAD) {
            return Ok(Self::PayloadTooLong(bytes));
        }
        match (row.optional::<String>(4)?, row.optional::<Vec<u8>>(5)?) {
            (Some(text), Some(hash)) => Ok(Self::Text(text, content_hash(hash)?)),
            _ => Ok(Self::TooLong(bytes)),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Missing | Self::TooLong(_) | Self::PayloadTooLong(_) => 0,
            Self::Text(text, _) => text.len(),
        }
    }
}

/// Rows of a batch.
#[derive(Debug)]
pub(crate) struct SourceRows {
    /// Those that are there and pass the filter.
    pub(crate) rows: Vec<SourceRow>,
    /// How many of the asked record ids were looked at before the byte limit was reached; at least one.
    pub(crate) covered: usize,
}

/// Reads the records as the role sees them, until their texts exceed `byte_limit`; no single text above it is read.
pub(crate) fn read(
    source: &Source,
    role: Oid,
    client_id: i64,
    record_ids: &[String],
    byte_limit: usize,
) -> Result<SourceRows> {
    let query = format!(
        "select k.n, {key}, t.bytes, case when t.bytes <= {byte_limit} then t.text end, \
                case when t.bytes <= {byte_limit} then sha256(convert_to(t.text, 'UTF8')) end, \
                case when octet_length(t.fields) <= {LONGEST_PAYLOAD} then t.fields end, \
                encode(sha256(convert_to(t.fields, 'UTF8')), 'hex'), octet_length(t.fields) \
         from {join} \
         cross join lateral ( \
             select x.text, x.fields, octet_length(x.text)::int8 from (select {text}, {fields} offset 0) x(text, fields) \
         ) t(text, fields, bytes) \
         where {filter} order by k.n",
        key = source.key.expression(),
        join = source.key.join(&source.name, 2, Matching::Values),
        text = source.text,
        fields = source.payload.expression(),
        filter = source.filter,
    );
    let arguments = key_arguments(source, client_id, record_ids);
    role::as_restricted(role, || {
        let mut cursor = Cursor::open(&query, &arguments)?;
        let mut found = SourceRows {
            rows: Vec::new(),
            covered: record_ids.len(),
        };
        let mut bytes = 0;
        let mut last = 0;
        let mut count = 1;
        loop {
            let page = cursor.fetch(count, |row| {
                let record_id = row.get(2)?;
                let text = RowText::read(row)?;
                let fields = row.optional::<String>(6)?;
                let bytes = text.len() + fields.as_ref().map_or(0, String::len);
                let fields = payload::fields(fields.as_deref(), row.optional(7)?)?;
                let read = SourceRow {
                    record_id,
                    text,
                    fields,
                };
                Ok((row.get::<i64>(1)?, bytes, read))
            })?;
            if page.is_empty() {
                return Ok(found);
            }
            let page_bytes: usize = page.iter().map(|(_, bytes, _)| bytes).sum();
            count = if page_bytes < LARGE_PAGE {
                PAGE.min(count * 2)
            } else {
                1
            };
            for (position, row_bytes, row) in page {
                if position == last {
                    return Err(not_unique(source, &row.record_id));
                }
                last = position;
                if bytes > byte_limit {
                    found.covered = usize::try_from(position - 1).unwrap_or(1).max(1);
                    return Ok(found);
                }
                bytes += row_bytes;
                found.rows.push(row);
            }
        }
    })
}

fn not_unique(source: &Source, record_id: &str) -> VbError {
    VbError::invalid(format!(
        "several rows of {} have the key {record_id:?}, which must name one",
        source.name
    ))
    .hint("Declare columns that identify a row: SELECT vb_configure_source('…', key_columns => ARRAY['…']).")
}

/// The client and the key arrays, as [`super::key::Key::join`] numbers them from `$1` on.
pub(crate) fn key_arguments<'a>(source: &Source, client_id: i64, record_ids: &[String]) -> Vec<DatumWithOid<'a>> {
    let mut arguments: Vec<DatumWithOid<'a>> = vec![client_id.into()];
    arguments.extend(source.key.split(record_ids).into_iter().map(DatumWithOid::from));
    arguments
}

fn content_hash(bytes: Vec<u8>) -> Result<[u8; 32]> {
    bytes
        .try_into()
        .map_err(|_| VbError::internal("a content hash is not 32 bytes long"))
}
