//! The text of a row for a vector type, as an SQL expression over `s`. NULL means that the row has no text.

use pgrx::spi::quote_literal;
use vb_formats::template::{Part, Template};

use super::columns::{Column, Relation};
use crate::error::{Result, VbError};

/// Columns that a vector type takes its text from when nothing is configured.
fn default_columns(vector_type: &str) -> Option<&'static [&'static str]> {
    match vector_type {
        "content" => Some(&["summary", "description", "title", "content"]),
        "summary" => Some(&["summary", "title"]),
        "metadata" => Some(&["status", "priority", "type", "labels"]),
        _ => None,
    }
}

/// Where the text comes from.
pub(crate) enum TextSource<'a> {
    /// By the rules for this vector type.
    Rules,
    /// These columns.
    Columns(&'a [String]),
    /// This template.
    Template(&'a Template),
}

/// The expression for the text of a vector type.
pub(crate) fn expression(relation: &Relation, vector_type: &str, source: &TextSource<'_>) -> Result<String> {
    let text = match source {
        TextSource::Template(template) => from_template(relation, template)?,
        TextSource::Columns(names) => {
            let columns = names
                .iter()
                .map(|name| relation.require(name, "text"))
                .collect::<Result<Vec<&Column>>>()?;
            joined(vector_type, &columns)
        }
        TextSource::Rules => {
            let Some(names) = default_columns(vector_type) else {
                return Err(VbError::invalid(format!(
                    "unknown vector type {vector_type:?} for source {}",
                    relation.qualified
                ))
                .hint(
                    "Use content, summary or metadata, or declare a type of your own with vb_configure_source(source, \
                     vector_type => …, text_columns => …).",
                ));
            };
            let columns: Vec<&Column> = names.iter().filter_map(|name| relation.column(name)).collect();
            if columns.is_empty() {
                return Err(VbError::new(
                    pgrx::PgSqlErrorCode::ERRCODE_UNDEFINED_COLUMN,
                    format!(
                        "{} has none of the columns that make its {vector_type}: {}",
                        relation.qualified,
                        names.join(", ")
                    ),
                )
                .hint(
                    "Say which columns to embed: SELECT vb_configure_source('…', text_columns => ARRAY['…']) or \
                     template => '{…} {…}'.",
                ));
            }
            if vector_type == "summary" {
                first_of(&columns)
            } else {
                joined(vector_type, &columns)
            }
        }
    };
    // A text of white space only is no text.
    Ok(format!(
        "(select case when x.t ~ '\\S' then x.t end from (select {text}) x(t))"
    ))
}

/// Names of the columns that the text is made of, as far as the table has them.
pub(crate) fn columns(relation: &Relation, vector_type: &str, source: &TextSource<'_>) -> Vec<String> {
    let names: Vec<&str> = match source {
        TextSource::Template(template) => template
            .parts()
            .iter()
            .filter_map(|part| match part {
                Part::Column(name) => Some(name.as_str()),
                Part::Literal(_) => None,
            })
            .collect(),
        TextSource::Columns(names) => names.iter().map(String::as_str).collect(),
        TextSource::Rules => default_columns(vector_type).unwrap_or_default().to_vec(),
    };
    let present = names.into_iter().filter(|name| relation.column(name).is_some());
    present.map(str::to_owned).collect()
}

fn non_empty(column: &Column) -> String {
    format!("nullif(s.{}::pg_catalog.text, '')", column.quoted())
}

fn first_of(columns: &[&Column]) -> String {
    let values: Vec<String> = columns.iter().map(|column| non_empty(column)).collect();
    format!("coalesce({})", values.join(", "))
}

/// The non-empty values joined with one space; metadata says which field each value is of.
fn joined(vector_type: &str, columns: &[&Column]) -> String {
    let values: Vec<String> = columns
        .iter()
        .map(|column| {
            if vector_type == "metadata" {
                format!(
                    "{} || {}",
                    quote_literal(format!("{}: ", column.name)),
                    non_empty(column)
                )
            } else {
                non_empty(column)
            }
        })
        .collect();
    format!("pg_catalog.concat_ws(' ', {})", values.join(", "))
}

/// A template whose columns are all empty gives no text, whatever stands around them.
fn from_template(relation: &Relation, template: &Template) -> Result<String> {
    let mut pieces = Vec::new();
    let mut values = Vec::new();
    for part in template.parts() {
        match part {
            Part::Literal(text) => pieces.push(format!("{}::pg_catalog.text", quote_literal(text))),
            Part::Column(name) => {
                let value = non_empty(relation.require(name, "text")?);
                pieces.push(value.clone());
                values.push(value);
            }
        }
    }
    Ok(format!(
        "case when coalesce({}) is not null then pg_catalog.concat({}) end",
        values.join(", "),
        pieces.join(", ")
    ))
}
