//! The key of a source's rows as SQL: their record ids, as [`vb_formats::record_id`] has them, and rows by these.

use vb_formats::record_id;

use super::columns::Column;

/// The key of a source: at least one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    columns: Vec<Column>,
}

/// How rows are found by their record ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Matching {
    /// Each part of the record id is cast to the type of its column, so that an index on the key serves. An ERROR when a
    /// text is no value of that type.
    Values,
    /// By the texts alone: reads all rows.
    Texts,
}

impl Key {
    /// A key of these columns; `None` when there are none.
    pub(crate) fn new(columns: Vec<Column>) -> Option<Self> {
        (!columns.is_empty()).then_some(Self { columns })
    }

    /// Names of its columns.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.name.as_str()).collect()
    }

    /// How many columns it has.
    pub(crate) fn width(&self) -> usize {
        self.columns.len()
    }

    /// The record id of a row of `s`, as an expression; NULL when a part of the key is.
    pub(crate) fn expression(&self) -> String {
        match self.columns.as_slice() {
            [only] => format!("s.{}::pg_catalog.text", only.quoted()),
            several => {
                let texts: Vec<String> = several
                    .iter()
                    .map(|column| format!("s.{}::pg_catalog.text", column.quoted()))
                    .collect();
                let texts = texts.join(", ");
                format!(
                    "case when pg_catalog.num_nulls({texts}) = 0 \
                     then pg_catalog.jsonb_build_array({texts})::pg_catalog.text end"
                )
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

    /// A table `k` of keys from text arrays, the first of which is parameter `first`, joined to the source as `s`.
    pub(crate) fn join(&self, source: &str, first: usize, matching: Matching) -> String {
        let arrays: Vec<String> = (0..self.width())
            .map(|position| format!("pg_catalog.unnest(${}::pg_catalog.text[])", first + position))
            .collect();
        let names: Vec<String> = (1..=self.width()).map(|position| format!("k{position}")).collect();
        let condition = match matching {
            Matching::Values => {
                self.each(|column, name| format!("s.{} = k.{name}::{}", column.quoted(), column.type_name))
            }
            Matching::Texts => self.same_texts(),
        };
        format!(
            "rows from ({}) with ordinality as k({}, n) join {source} s on {condition}",
            arrays.join(", "),
            names.join(", "),
        )
    }

    /// The condition that the record id of `s` is that of `k` to the letter: 1.0 and 1.00 are equal, but not the same id.
    pub(crate) fn same_texts(&self) -> String {
        self.each(|column, name| format!("s.{}::pg_catalog.text = k.{name}", column.quoted()))
    }

    fn each(&self, condition: impl Fn(&Column, &str) -> String) -> String {
        let conditions: Vec<String> = self
            .columns
            .iter()
            .zip(1..)
            .map(|(column, position)| condition(column, &format!("k{position}")))
            .collect();
        conditions.join(" and ")
    }

    /// The texts of record ids, column by column: the arrays that [`Key::join`] wants. A record id that this key cannot
    /// have made (it was another key then) becomes NULLs, which match no row.
    pub(crate) fn split(&self, record_ids: &[String]) -> Vec<Vec<Option<String>>> {
        let mut arrays = vec![Vec::with_capacity(record_ids.len()); self.width()];
        for record_id in record_ids {
            let mut texts = record_id::split(record_id, self.width())
                .unwrap_or_default()
                .into_iter();
            for array in &mut arrays {
                array.push(texts.next());
            }
        }
        arrays
    }
}
