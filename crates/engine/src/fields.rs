//! Columns of a row that its points carry, so that searches can filter by them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// The payload field that has them.
const FIELDS: &str = "fields";

/// The columns of a row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Fields {
    /// Values by [`column_key`] of their column: truth values, numbers, texts, or lists of those.
    pub values: Map<String, Value>,
    /// SHA-256 of them as whoever read the row wrote them, in hexadecimal, by which changes are noticed; empty when the
    /// source declares no columns.
    pub hash: String,
}

impl Fields {
    /// Bytes that they take, about.
    pub fn size(&self) -> usize {
        self.hash.len() + size(&self.values)
    }
}

/// Bytes that values take, about.
pub(crate) fn size(values: &Map<String, Value>) -> usize {
    let of_text = |value: &Value| value.as_str().map_or(0, str::len);
    let of_value = |value: &Value| match value {
        Value::Array(values) => values.iter().map(|value| 16 + of_text(value)).sum(),
        value => of_text(value),
    };
    values.iter().map(|(key, value)| 16 + key.len() + of_value(value)).sum()
}

/// Other fields for the points of a record whose text is the same as before.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldsChange {
    /// The points.
    pub points: Vec<Uuid>,
    /// What they are to have, instead of all that they have.
    pub fields: Fields,
}

/// A column that points carry: what an index of its values needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Field {
    /// Name of the column.
    pub column: String,
    /// What its values are.
    pub kind: FieldKind,
}

/// What the values of a column are; a list is what its elements are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// True or false.
    Bool,
    /// Whole numbers.
    Integer,
    /// Numbers, and moments as seconds since 1970.
    Float,
    /// Texts, compared as wholes.
    Keyword,
}

impl Field {
    /// Where points keep the values, as stores write paths.
    pub(crate) fn path(&self) -> String {
        column_path(&self.column)
    }
}

/// Where points keep the values of a column, as stores write paths. Quoted, so that a name with a dot is no path.
pub(crate) fn column_path(column: &str) -> String {
    format!("{FIELDS}.\"{}\"", column_key(column))
}

/// Name of a column as points keep it: what stores have no way to quote is written as in URLs.
pub fn column_key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '"' => key.push_str("%22"),
            '\\' => key.push_str("%5C"),
            '%' => key.push_str("%25"),
            other => key.push(other),
        }
    }
    key
}
