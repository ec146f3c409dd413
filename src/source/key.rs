//! Record ids: the key of a row as one text, and back.
//!
//! One key column is its text; several are a JSON array of their texts.

use super::columns::Column;
use crate::error::{Result, VbError};

/// The key of a source: at least one column.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    columns: Vec<Column>,
}

impl Key {
    /// A key of these columns; `None` when there are none.
    pub(crate) fn new(columns: Vec<Column>) -> Option<Self> {
        (!columns.is_empty()).then_some(Self { columns })
    }

    /// How many columns it has.
    pub(crate) fn width(&self) -> usize {
        self.columns.len()
    }

    /// The record id of a row of `s`, as an expression.
    pub(crate) fn expression(&self) -> String {
        match self.columns.as_slice() {
            [only] => format!("s.{}::pg_catalog.text", only.quoted()),
            several => {
                let texts: Vec<String> = several
                    .iter()
                    .map(|column| format!("s.{}::pg_catalog.text", column.quoted()))
                    .collect();
                format!("pg_catalog.jsonb_build_array({})::pg_catalog.text", texts.join(", "))
            }
        }
    }

    /// The key columns of `s`, for ordering.
    pub(crate) fn ordering(&self) -> String {
        let names: Vec<String> = self
            .columns
            .iter()
            .map(|column| format!("s.{}", column.quoted()))
            .collect();
        names.join(", ")
    }

    /// A table `k` of keys from text arrays, the first of which is parameter `first`, joined to the source as `s`:
    /// each key column is cast back to its type, so that an index on the key serves.
    pub(crate) fn join(&self, source: &str, first: usize) -> String {
        let arrays: Vec<String> = (0..self.width())
            .map(|position| format!("pg_catalog.unnest(${}::pg_catalog.text[])", first + position))
            .collect();
        let names: Vec<String> = (1..=self.width()).map(|position| format!("k{position}")).collect();
        let conditions: Vec<String> = self
            .columns
            .iter()
            .zip(&names)
            .map(|(column, name)| format!("s.{} = k.{name}::{}", column.quoted(), column.type_name))
            .collect();
        format!(
            "rows from ({}) with ordinality as k({}, n) join {source} s on {}",
            arrays.join(", "),
            names.join(", "),
            conditions.join(" and ")
        )
    }

    /// The texts of record ids, column by column: the arrays that [`Key::join`] wants.
    pub(crate) fn split(&self, record_ids: &[String]) -> Result<Vec<Vec<String>>> {
        if self.width() == 1 {
            return Ok(vec![record_ids.to_vec()]);
        }
        let mut arrays = vec![Vec::with_capacity(record_ids.len()); self.width()];
        for record_id in record_ids {
            let texts: Vec<String> = serde_json::from_str(record_id)
                .map_err(|_| VbError::internal(format!("record id {record_id:?} is not a JSON array of texts")))?;
            if texts.len() != self.width() {
                return Err(VbError::internal(format!(
                    "record id {record_id:?} does not fit the key of its source"
                )));
            }
            for (array, text) in arrays.iter_mut().zip(texts) {
                array.push(text);
            }
        }
        Ok(arrays)
    }
}
