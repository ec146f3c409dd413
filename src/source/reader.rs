//! Reads the rows of a batch as they are now.

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::Oid;

use super::describe::Source;
use crate::error::{Result, VbError};
use crate::pg::role;
use crate::pg::spi::Cursor;

/// Rows fetched at a time: few, since each may be a megabyte.
const PAGE: usize = 32;

/// A row as it is now.
#[derive(Debug)]
pub(crate) struct SourceRow {
    /// Its key as text.
    pub(crate) record_id: String,
    /// Its text and the SHA-256 of it; `None` when it has no text.
    pub(crate) text: Option<(String, [u8; 32])>,
}

/// Rows of a batch.
#[derive(Debug)]
pub(crate) struct SourceRows {
    /// Those that are there and pass the filter.
    pub(crate) rows: Vec<SourceRow>,
    /// How many of the asked record ids were looked at before the byte limit was reached; at least one.
    pub(crate) covered: usize,
}

/// Reads the records as the role sees them, until their texts exceed `byte_limit`.
pub(crate) fn read(
    source: &Source,
    role: Oid,
    client_id: i64,
    record_ids: &[String],
    byte_limit: usize,
) -> Result<SourceRows> {
    let query = format!(
        "select k.n, {key}, t.text, sha256(convert_to(t.text, 'UTF8')) \
         from {join} cross join lateral (select {text} offset 0) t(text) where {filter} order by k.n",
        key = source.key.expression(),
        join = source.key.join(&source.name, 2),
        text = source.text,
        filter = source.filter,
    );
    let arguments = key_arguments(source, client_id, record_ids)?;
    role::as_restricted(role, || {
        let mut cursor = Cursor::open(&query, &arguments)?;
        let mut found = SourceRows {
            rows: Vec::new(),
            covered: record_ids.len(),
        };
        let mut bytes = 0;
        loop {
            let page = cursor.fetch(PAGE, |row| {
                let text = match row.optional::<String>(3)? {
                    Some(text) => Some((text, hash(row.get::<Vec<u8>>(4)?)?)),
                    None => None,
                };
                Ok((
                    row.get::<i64>(1)?,
                    SourceRow {
                        record_id: row.get(2)?,
                        text,
                    },
                ))
            })?;
            if page.is_empty() {
                return Ok(found);
            }
            for (position, row) in page {
                if bytes > byte_limit {
                    found.covered = usize::try_from(position - 1).unwrap_or(1).max(1);
                    return Ok(found);
                }
                bytes += row.text.as_ref().map_or(0, |(text, _)| text.len());
                found.rows.push(row);
            }
        }
    })
}

/// The client and the key arrays, as [`super::key::Key::join`] numbers them from `$1` on.
pub(crate) fn key_arguments<'a>(
    source: &Source,
    client_id: i64,
    record_ids: &[String],
) -> Result<Vec<DatumWithOid<'a>>> {
    let mut arguments: Vec<DatumWithOid<'a>> = vec![client_id.into()];
    arguments.extend(source.key.split(record_ids)?.into_iter().map(DatumWithOid::from));
    Ok(arguments)
}

fn hash(bytes: Vec<u8>) -> Result<[u8; 32]> {
    bytes
        .try_into()
        .map_err(|_| VbError::internal("a content hash is not 32 bytes long"))
}
