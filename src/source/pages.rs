//! A client's rows page by page, newest first, within one short transaction: keys, and hashes of the texts. They are read as
//! the role that asked, so that neither side sees the other's data when they are compared with what is ours.

use pgrx::PgSqlErrorCode;
use pgrx::datum::Json;

use super::describe::Source;
use super::payload::hash_of;
use super::work_list::{Comparison, Scope};
use crate::error::{Result, VbError};
use crate::pg::role;
use crate::pg::spi::{self, Cursor};

/// Rows read at a time.
const PAGE: usize = 5_000;

/// Bytes that a record id may have: the primary key of `qdrant_vectors` takes 2,704, with client, source and vector type.
pub(crate) const LONGEST_RECORD_ID: usize = 2_000;

/// Rows read at a time.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// How many they are.
    pub(crate) rows: u64,
    /// Record ids of those that have a text.
    pub(crate) record_ids: Vec<String>,
    /// SHA-256 of each of these texts, followed by that of the payload columns if there are some; empty where nobody compares.
    pub(crate) hashes: Vec<Vec<u8>>,
    /// Bytes of each of these texts.
    pub(crate) bytes: Vec<i32>,
    /// How many have no text.
    pub(crate) without_text: u64,
    /// Those whose record id is too long for an index, by what stands for it.
    pub(crate) too_long: Vec<String>,
}

/// Shows each page to the visitor. `compares` says whether the hashes are needed; `go_on` is asked before each page, and
/// its error ends the pass, as the visitor's does.
pub(crate) fn each(
    source: &Source,
    scope: &Scope,
    compares: bool,
    go_on: &dyn Fn() -> Result<()>,
    visit: &mut dyn FnMut(Page) -> Result<()>,
) -> Result<()> {
    let query = query(source, scope.comparison, compares);
    let mut cursor = role::as_restricted(scope.role, || Cursor::open(&query, &[scope.client_id.into()]))?;
    loop {
        go_on()?;
        let rows = role::as_restricted(scope.role, || {
            cursor.fetch(PAGE, |row| {
                let key = match row.optional::<String>(1)? {
                    Some(record_id) => Key::Whole(record_id),
                    None => Key::StandIn(row.optional(4)?.ok_or_else(|| without_key(source))?),
                };
                Ok((key, row.optional::<Vec<u8>>(2)?, row.optional::<i32>(3)?.unwrap_or(0)))
            })
        })?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut page = Page {
            rows: rows.len() as u64,
            ..Page::default()
        };
        for (key, hash, length) in rows {
            match (key, hash) {
                (_, None) => page.without_text += 1,
                (Key::StandIn(beginning), Some(_)) => page.too_long.push(beginning),
                (Key::Whole(record_id), Some(hash)) => {
                    page.record_ids.push(record_id);
                    page.hashes.push(hash);
                    page.bytes.push(length);
                }
            }
        }
        visit(page)?;
    }
}

/// What the planner expects of a pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    /// Rows of the client.
    pub(crate) rows: f64,
    /// Work, in units of a page read in order.
    pub(crate) cost: f64,
}

/// Asks the planner.
pub(crate) fn expected(source: &Source, scope: &Scope) -> Result<Expected> {
    let query = format!("explain (format json) {}", query(source, scope.comparison, true));
    let plan = role::as_restricted(scope.role, || {
        spi::first(&query, &[scope.client_id.into()], |row| row.get::<Json>(1))
    })?;
    let number = |name: &str| {
        let found = plan
            .as_ref()
            .and_then(|plan| plan.0.pointer(&format!("/0/Plan/{name}"))?.as_f64());
        found.ok_or_else(|| VbError::internal(format!("the planner does not say: {name}")))
    };
    Ok(Expected {
        rows: number("Plan Rows")?,
        cost: number("Total Cost")?,
    })
}

fn without_key(source: &Source) -> VbError {
    VbError::new(
        PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
        format!("a row of {} has NULL in its key", source.name),
    )
    .hint("Declare key columns that are never NULL: SELECT vb_configure_source('…', key_columns => ARRAY['…']).")
}

/// The key of a row.
enum Key {
    /// As a record id.
    Whole(String),
    /// What stands for one that is too long: its beginning, and what tells it from others with the same.
    StandIn(String),
}

/// Record id, hash and length of each row of the client, and what stands for a record id that is too long, and NULL then, so
/// that no key costs memory. The hash is NULL when the row has no text, and empty when texts are not looked at or nobody
/// compares.
fn query(source: &Source, comparison: Comparison, compares: bool) -> String {
    let (columns, text) = match comparison {
        Comparison::Texts => {
            let hash = if compares {
                format!("{} || {}", hash_of("t.text"), source.payload.hash())
            } else {
                "''::bytea".to_owned()
            };
            (
                format!("case when t.text is not null then {hash} end, octet_length(t.text)"),
                format!("cross join lateral (select {} offset 0) t(text)", source.text),
            )
        }
        Comparison::Keys => ("''::bytea, 0".to_owned(), String::new()),
    };
    format!(
        "select case when octet_length(k.id) <= {LONGEST_RECORD_ID} then k.id end, {columns}, \
                case when octet_length(k.id) > {LONGEST_RECORD_ID} \
                     then format('%s… (%s bytes, %s)', left(k.id, 100), octet_length(k.id), md5(k.id)) end \
         from {source} s cross join lateral (select {key} offset 0) k(id) {text} where {filter} order by {order}",
        key = source.key.expression(),
        source = source.name,
        filter = source.filter,
        order = source.order,
    )
}
