//! Columns that a source declares for searches to filter by: what their values are, and how points carry them.
//!
//! Points keep JSON. Moments are seconds since 1970 there, long texts their hash, and what is no number (NaN, infinity) null.

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::{self, Oid};
use pgrx::spi::quote_literal;
use sha2::{Digest, Sha256};
use vb_engine::fields::{Field, FieldKind, Fields, column_key};

use super::columns::Relation;
use crate::error::{Result, VbError};
use crate::pg::spi::{self, Row};

/// Columns that a source may declare: each has an index in the store.
pub(crate) const MOST_COLUMNS: usize = 32;

/// Bytes of a text that is kept as it is.
const LONGEST_TEXT: usize = 1_000;

/// Bytes of the columns of a row that its points may carry: 256 points of a request with the longest are a quarter of what
/// Qdrant takes.
pub(crate) const LONGEST_PAYLOAD: i32 = 32 * 1024;

/// What a kept hash begins with.
const HASHED: &str = "sha256:";

/// The declared columns, in order; often none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Payload {
    columns: Vec<PayloadColumn>,
}

/// A declared column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PayloadColumn {
    /// Its name, as it is.
    pub(crate) name: String,
    /// What its values are, or the elements of its values.
    pub(crate) kind: Kind,
    /// The name for a statement.
    quoted: String,
    is_array: bool,
}

/// What values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// True or false.
    Bool,
    /// Whole numbers.
    Integer,
    /// Other numbers.
    Number,
    /// Moments, of this type.
    Moment(&'static str),
    /// Universally unique identifiers.
    Uuid,
    /// Texts, and names of enums.
    Text,
}

impl Kind {
    /// Of a type that is neither a domain nor an array; `None` when its values cannot be compared.
    fn of(oid: Oid, category: u8) -> Option<Self> {
        Some(match oid {
            pg_sys::BOOLOID => Self::Bool,
            pg_sys::INT2OID | pg_sys::INT4OID | pg_sys::INT8OID => Self::Integer,
            pg_sys::NUMERICOID | pg_sys::FLOAT4OID | pg_sys::FLOAT8OID => Self::Number,
            pg_sys::DATEOID => Self::Moment("pg_catalog.date"),
            pg_sys::TIMESTAMPOID => Self::Moment("pg_catalog.timestamp"),
            pg_sys::TIMESTAMPTZOID => Self::Moment("pg_catalog.timestamptz"),
            pg_sys::UUIDOID => Self::Uuid,
            // Strings and enums.
            _ if matches!(category, b'S' | b'E') => Self::Text,
            _ => return None,
        })
    }

    /// What an index of the values needs to know.
    fn field_kind(self) -> FieldKind {
        match self {
            Self::Bool => FieldKind::Bool,
            Self::Integer => FieldKind::Integer,
            Self::Number | Self::Moment(_) => FieldKind::Float,
            Self::Uuid | Self::Text => FieldKind::Keyword,
        }
    }

    /// A value as points keep it, as an expression of type jsonb.
    fn expression(self, value: &str) -> String {
        match self {
            Self::Bool => format!("pg_catalog.to_jsonb({value}::pg_catalog.bool)"),
            Self::Integer => format!("pg_catalog.to_jsonb({value}::pg_catalog.int8)"),
            // What is too small or too large for double precision would be an error.
            Self::Number => format!(
                "case when pg_catalog.abs({value}) < 1e-300 then pg_catalog.to_jsonb(0.0::pg_catalog.float8) \
                      when pg_catalog.abs({value}) < 1e308 then pg_catalog.to_jsonb({value}::pg_catalog.float8) end"
            ),
            // So would be a date beyond the last timestamp.
            Self::Moment(of) => {
                let moment = format!("{value}::{of}");
                let seconds = seconds(&moment);
                format!(
                    "case when pg_catalog.isfinite({moment}) and {moment} < '294276-01-01'::{of} \
                     then pg_catalog.to_jsonb({seconds}) end"
                )
            }
            Self::Uuid => format!("pg_catalog.to_jsonb({value}::pg_catalog.uuid)"),
            Self::Text => format!(
                "(select pg_catalog.to_jsonb(case when pg_catalog.octet_length(v.t) <= {LONGEST_TEXT} then v.t \
                         else '{HASHED}' || pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(v.t, 'UTF8')), 'hex') end) \
                  from (select {value}::pg_catalog.text) v(t))"
            ),
        }
    }
}

/// A moment as points keep it, as an expression.
pub(crate) fn seconds(moment: &str) -> String {
    format!("pg_catalog.date_part('epoch', {moment})")
}

/// A text as points keep it.
pub(crate) fn kept_text(text: &str) -> String {
    if text.len() <= LONGEST_TEXT {
        return text.to_owned();
    }
    format!("{HASHED}{:x}", Sha256::digest(text.as_bytes()))
}

impl Payload {
    /// The columns of these names.
    pub(crate) fn read(relation: &Relation, names: &[String]) -> Result<Self> {
        if names.is_empty() {
            return Ok(Self::default());
        }
        for name in names {
            relation.require(name, "payload")?;
        }
        let columns = spi::read(
            include_str!("../../sql/query/payload_types.sql"),
            &[relation.oid.into(), names.to_vec().into()],
            |row| column(relation, row),
        )?;
        Ok(Self { columns })
    }

    /// A declared column.
    pub(crate) fn column(&self, name: &str) -> Option<&PayloadColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Names of the columns.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.name.as_str()).collect()
    }

    /// What a collection has to know of them.
    pub(crate) fn fields(&self) -> Vec<Field> {
        let field = |column: &PayloadColumn| Field {
            column: column.name.clone(),
            kind: column.kind.field_kind(),
        };
        self.columns.iter().map(field).collect()
    }

    /// The columns of a row of `s` as JSON, an expression of type text; NULL when none is declared.
    pub(crate) fn expression(&self) -> String {
        if self.columns.is_empty() {
            return "null::pg_catalog.text".to_owned();
        }
        let pairs: Vec<String> = self
            .columns
            .iter()
            .map(|column| format!("{}, {}", quote_literal(column_key(&column.name)), column.expression()))
            .collect();
        format!("pg_catalog.jsonb_build_object({})::pg_catalog.text", pairs.join(", "))
    }

    /// The SHA-256 of that, an expression of type bytea; empty when none is declared.
    pub(crate) fn hash(&self) -> String {
        if self.columns.is_empty() {
            return "''::pg_catalog.bytea".to_owned();
        }
        hash_of(&self.expression())
    }
}

/// The SHA-256 of a text, as an expression of type bytea.
pub(crate) fn hash_of(text: &str) -> String {
    format!("pg_catalog.sha256(pg_catalog.convert_to({text}, 'UTF8'))")
}

/// The columns of a row, read with [`Payload::expression`] as `text` and the hash of that in hexadecimal.
pub(crate) fn fields(text: Option<&str>, hash: Option<String>) -> Result<Fields> {
    let values = match text {
        None => serde_json::Map::new(),
        Some(text) => serde_json::from_str(text)
            .map_err(|error| VbError::internal(format!("the payload of a row is no JSON object: {error}")))?,
    };
    Ok(Fields {
        values,
        hash: hash.unwrap_or_default(),
    })
}

fn column(relation: &Relation, row: &Row<'_>) -> Result<PayloadColumn> {
    let name: String = row.get(1)?;
    let type_name: String = row.get(2)?;
    let Some(kind) = Kind::of(row.get(3)?, row.get::<i8>(4)? as u8) else {
        return Err(VbError::new(
            PgSqlErrorCode::ERRCODE_DATATYPE_MISMATCH,
            format!(
                "column {name:?} of {} is of type {type_name}, by which searches cannot filter",
                relation.qualified
            ),
        )
        .hint(
            "Types of a payload column are boolean, numbers, date, timestamps, texts, enums, uuid, and arrays of them.",
        ));
    };
    Ok(PayloadColumn {
        quoted: relation.require(&name, "payload")?.quoted(),
        name,
        kind,
        is_array: row.get(5)?,
    })
}

impl PayloadColumn {
    fn expression(&self) -> String {
        let value = format!("s.{}", self.quoted);
        if self.is_array {
            let element = self.kind.expression("e.v");
            format!(
                "(select pg_catalog.jsonb_agg(k.v) from (select {element} from pg_catalog.unnest({value}) e(v)) k(v) \
                 where k.v is not null)"
            )
        } else {
            self.kind.expression(&value)
        }
    }
}
