//! A source as it is to be embedded: the relation, the settings and the rules put together.

use pgrx::pg_sys::Oid;
use vb_formats::template::Template;

use super::columns::{Column, Relation};
use super::key::Key;
use super::payload::Payload;
use super::text::{self, TextSource};
use crate::catalog::installation::Installation;
use crate::catalog::source_settings::{self, SourceSettings};
use crate::error::{Result, VbError};
use crate::pg::role;
use vb_engine::policy::chunking::Chunking;

/// Everything that statements over a source need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// Its object identifier.
    pub(crate) oid: Oid,
    /// Schema and name, quoted where needed.
    pub(crate) name: String,
    /// Name without a schema.
    pub(crate) bare_name: String,
    /// Whose table it is.
    pub(crate) owner: Oid,
    /// The key of its rows.
    pub(crate) key: Key,
    /// The condition that a row of `s` belongs to the client `$1` and is active.
    pub(crate) filter: String,
    /// The column with the client; `None` when all rows belong to client 0.
    pub(crate) client_column: Option<String>,
    /// The column that says whether a row counts, if there is one.
    pub(crate) active_column: Option<String>,
    /// How rows of `s` are ordered: newest first where a column tells.
    pub(crate) order: String,
    /// The text of a row of `s`; NULL when it has none.
    pub(crate) text: String,
    /// Columns that it is made of.
    pub(crate) text_columns: Vec<String>,
    /// Columns that points carry.
    pub(crate) payload: Payload,
    /// How long texts are cut.
    pub(crate) chunking: Option<Chunking>,
}

/// Describes a source for a vector type, or says what is missing and how to configure it.
pub(crate) fn describe(installation: &Installation, source: Oid, vector_type: &str) -> Result<Source> {
    let relation = Relation::read(source)?;
    let settings = role::as_owner(installation.owner, || {
        source_settings::read(installation, source, vector_type)
    })?;
    assemble(&relation, &settings.unwrap_or_default(), vector_type)
}

/// Puts relation, settings and rules together.
pub(crate) fn assemble(relation: &Relation, settings: &SourceSettings, vector_type: &str) -> Result<Source> {
    let key = key(relation, settings)?;
    let order = match &settings.order_column {
        Some(name) => Some(relation.require(name, "order")?),
        None => relation.column("created_at"),
    };
    let order = match order {
        Some(column) => format!("s.{} desc nulls last, {}", column.quoted(), key.ordering()),
        None => key.ordering(),
    };
    let template = settings.template.as_deref().map(Template::parse).transpose()?;
    let text_source = match (&template, &settings.text_columns) {
        (Some(template), _) => TextSource::Template(template),
        (None, Some(columns)) => TextSource::Columns(columns),
        (None, None) => TextSource::Rules,
    };
    let active = active_column(relation, settings)?;
    Ok(Source {
        oid: relation.oid,
        name: relation.qualified.clone(),
        bare_name: relation.bare_name.clone(),
        owner: relation.owner,
        filter: filter(relation, settings, active)?,
        client_column: settings.client_column.clone(),
        active_column: active.map(|column| column.name.clone()),
        order,
        payload: Payload::read(relation, settings.payload_columns.as_deref().unwrap_or_default())?,
        text: text::expression(relation, vector_type, &text_source)?,
        text_columns: text::columns(relation, vector_type, &text_source),
        chunking: settings.chunk_tokens.map(|tokens| Chunking {
            tokens: tokens as usize,
            overlap: settings.chunk_overlap.unwrap_or(0) as usize,
        }),
        key,
    })
}

fn key(relation: &Relation, settings: &SourceSettings) -> Result<Key> {
    let columns = match &settings.key_columns {
        Some(names) => names
            .iter()
            .map(|name| relation.require(name, "key").cloned())
            .collect::<Result<Vec<Column>>>()?,
        None => {
            let mut columns: Vec<Column> = relation
                .columns
                .iter()
                .filter(|column| column.key_position.is_some())
                .cloned()
                .collect();
            columns.sort_by_key(|column| column.key_position);
            columns
        }
    };
    Key::new(columns).ok_or_else(|| {
        VbError::invalid(format!("{} has no primary key", relation.qualified))
            .hint("Declare what identifies a row: SELECT vb_configure_source('…', key_columns => ARRAY['…']).")
    })
}

fn filter(relation: &Relation, settings: &SourceSettings, active: Option<&Column>) -> Result<String> {
    let client = match &settings.client_column {
        Some(name) => {
            let column =
                relation.column(name).ok_or_else(|| {
                    VbError::new(
                    pgrx::PgSqlErrorCode::ERRCODE_UNDEFINED_COLUMN,
                    format!("{} has no column {name:?} that says which client a row belongs to", relation.qualified),
                )
                .hint(
                    "Name the column with vb_configure_source('…', client_column => '…'), or make it a source of one \
                     client with client_column => NULL and client 0.",
                )
                })?;
            if !matches!(column.type_name.as_str(), "smallint" | "integer" | "bigint" | "numeric") {
                return Err(VbError::new(
                    pgrx::PgSqlErrorCode::ERRCODE_DATATYPE_MISMATCH,
                    format!(
                        "client column {name:?} of {} is of type {}",
                        relation.qualified, column.type_name
                    ),
                )
                .hint("Clients are numbers: bigint, integer, smallint or numeric."));
            }
            format!("s.{} = $1", column.quoted())
        }
        // One client only: number 0 sees every row, other numbers none.
        None => "$1 = 0".to_owned(),
    };
    Ok(match active {
        Some(column) => format!("{client} and s.{}", column.quoted()),
        None => client,
    })
}

/// The column that says whether a row counts, if there is one.
fn active_column<'a>(relation: &'a Relation, settings: &SourceSettings) -> Result<Option<&'a Column>> {
    let Some(name) = &settings.active_column else {
        return Ok(relation.column("active").filter(|column| column.type_name == "boolean"));
    };
    let column = relation.require(name, "active")?;
    if column.type_name != "boolean" {
        return Err(VbError::new(
            pgrx::PgSqlErrorCode::ERRCODE_DATATYPE_MISMATCH,
            format!(
                "active column {name:?} of {} is of type {}",
                relation.qualified, column.type_name
            ),
        )
        .hint("It must be boolean; rows where it is true are embedded."));
    }
    Ok(Some(column))
}
