//! What is configured for a source, beyond the rules.

use pgrx::pg_sys::Oid;
use serde_json::json;

use super::access;
use super::audit::Deed;
use super::installation::Installation;
use super::job_request::{check_priority, check_range};
use super::{source_access, syncs};
use crate::error::{Result, VbError};
use crate::pg::{lock, process, role, spi};
use crate::source::columns::Relation;
use crate::source::describe;
use crate::source::payload::MOST_COLUMNS;

/// Settings of a source and of one of its vector types; `None` means: by the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceSettings {
    /// The column with the client; `None` makes a source of one client, number 0.
    pub(crate) client_column: Option<String>,
    /// What identifies a row.
    pub(crate) key_columns: Option<Vec<String>>,
    /// Only rows where this column is true are embedded.
    pub(crate) active_column: Option<String>,
    /// Newest first by this column.
    pub(crate) order_column: Option<String>,
    /// Columns that searches may filter by.
    pub(crate) payload_columns: Option<Vec<String>>,
    /// Columns whose values make the text.
    pub(crate) text_columns: Option<Vec<String>>,
    /// Template that makes the text.
    pub(crate) template: Option<String>,
    /// Tokens in a chunk of a long text.
    pub(crate) chunk_tokens: Option<i32>,
    /// Tokens that chunks share.
    pub(crate) chunk_overlap: Option<i32>,
}

impl Default for SourceSettings {
    fn default() -> Self {
        Self {
            client_column: Some("client_id".to_owned()),
            key_columns: None,
            active_column: None,
            order_column: None,
            payload_columns: None,
            text_columns: None,
            template: None,
            chunk_tokens: None,
            chunk_overlap: None,
        }
    }
}

/// The settings of a source for a vector type; `None` when nothing is configured. To be called as the owner of the
/// extension.
pub(crate) fn read(installation: &Installation, source: Oid, vector_type: &str) -> Result<Option<SourceSettings>> {
    let statement = installation.sql(include_str!("../../sql/query/source_settings.sql"));
    spi::read_first(&statement, &[source.into(), vector_type.into()], |row| {
        Ok(SourceSettings {
            client_column: row.optional(1)?,
            key_columns: row.optional(2)?,
            active_column: row.optional(3)?,
            order_column: row.optional(4)?,
            text_columns: row.optional(5)?,
            template: row.optional(6)?,
            chunk_tokens: row.optional(7)?,
            chunk_overlap: row.optional(8)?,
            payload_columns: row.optional(9)?,
        })
    })
}

/// Stores the settings of a source and of one of its vector types in place of what was there. An error, and nothing
/// stored, unless the caller owns the source and it can be embedded with them.
pub(crate) fn configure(
    installation: &Installation,
    source: Oid,
    vector_type: &str,
    settings: &SourceSettings,
    priority: Option<i32>,
) -> Result<()> {
    let relation = Relation::read(source)?;
    source_access::require_ownership(source, &relation.qualified)?;
    access::require_any(installation, "configure a source")?;
    check(vector_type, settings)?;
    check_priority(installation, priority)?;
    role::as_owner(installation.owner, || {
        syncs::hold_writers(installation, &relation)?;
        spi::run(
            &installation.sql(include_str!("../../sql/query/source_settings_upsert.sql")),
            &[
                source.into(),
                settings.client_column.as_deref().into(),
                settings.key_columns.clone().into(),
                settings.active_column.as_deref().into(),
                settings.order_column.as_deref().into(),
                priority.into(),
                settings.payload_columns.clone().into(),
            ],
        )?;
        spi::run(
            &installation.sql(include_str!("../../sql/query/source_texts_upsert.sql")),
            &[
                source.into(),
                vector_type.into(),
                settings.text_columns.clone().into(),
                settings.template.as_deref().into(),
                settings.chunk_tokens.into(),
                settings.chunk_overlap.into(),
            ],
        )?;
        syncs::reconfigured(installation, source)
    })?;
    // Says what is wrong with names and types of columns; its error takes back what was stored.
    let described = describe::describe(installation, source, vector_type)?;
    let detail = json!({
        "vector_type": vector_type, "client_column": settings.client_column, "key_columns": settings.key_columns,
        "active_column": settings.active_column, "text_columns": settings.text_columns, "template": settings.template,
        "payload_columns": settings.payload_columns,
    });
    Deed::new("configure_source")
        .subject(&described.name)
        .detail(detail)
        .note(installation)
}

/// Lists a source and a vector type among those that are embedded, by the rules where nothing is configured. To be
/// called as the owner of the extension.
pub(crate) fn register(installation: &Installation, source: Oid, vector_type: &str) -> Result<()> {
    // Nobody waits for a transaction of somebody else; whichever job of it becomes active first registers it again.
    if !lock::begin_registering(process::database(), source) {
        return Ok(());
    }
    spi::run(
        &installation.sql(include_str!("../../sql/query/source_register.sql")),
        &[source.into()],
    )?;
    spi::run(
        &installation.sql(include_str!("../../sql/query/source_register_text.sql")),
        &[source.into(), vector_type.into()],
    )
    .map(|_| ())
}

/// What can be said of settings without a look at the table.
fn check(vector_type: &str, settings: &SourceSettings) -> Result<()> {
    if !is_vector_type(vector_type) {
        return Err(
            VbError::invalid(format!("vector_type {vector_type:?} is not a name for a vector type"))
                .hint("Use lower case letters, digits and _, at most 63, the first a letter."),
        );
    }
    if settings.text_columns.is_some() && settings.template.is_some() {
        return Err(VbError::invalid("text_columns and template are both given")
            .hint("Give the columns to join them with spaces, or a template to say what stands between them."));
    }
    for (argument, columns) in [
        ("key_columns", &settings.key_columns),
        ("text_columns", &settings.text_columns),
        ("payload_columns", &settings.payload_columns),
    ] {
        if columns.as_ref().is_some_and(Vec::is_empty) {
            return Err(VbError::invalid(format!("{argument} is empty"))
                .hint("Name at least one column, or give NULL for what holds without configuration."));
        }
    }
    check_payload(settings.payload_columns.as_deref().unwrap_or_default())?;
    check_range("chunk_tokens", settings.chunk_tokens, 8, 8192)?;
    match (settings.chunk_tokens, settings.chunk_overlap) {
        (None, Some(_)) => Err(VbError::invalid("chunk_overlap is given without chunk_tokens")
            .hint("Say with chunk_tokens how long a chunk is.")),
        (Some(tokens), Some(_)) => check_range("chunk_overlap", settings.chunk_overlap, 0, tokens - 1),
        (_, None) => Ok(()),
    }
}

fn check_payload(columns: &[String]) -> Result<()> {
    if columns.len() > MOST_COLUMNS {
        return Err(VbError::invalid(format!(
            "payload_columns has {} columns, at most {MOST_COLUMNS} are kept",
            columns.len()
        ))
        .hint("Name those that searches filter by."));
    }
    let twice = columns
        .iter()
        .enumerate()
        .find(|(at, name)| columns[..*at].contains(name));
    match twice {
        Some((_, name)) => {
            Err(VbError::invalid(format!("payload_columns names {name:?} twice")).hint("Name each column once."))
        }
        None => Ok(()),
    }
}

/// The same rule as the CHECK of `vb_source_texts`.
fn is_vector_type(name: &str) -> bool {
    name.len() <= 63
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
}
