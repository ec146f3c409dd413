//! What Postgres knows of a source: its name, kind, owner and columns.

use pgrx::pg_sys::Oid;
use pgrx::spi::{quote_identifier, quote_qualified_identifier};

use crate::error::{Result, VbError};
use crate::pg::spi;

/// A table, partitioned table, view, materialised view or foreign table.
#[derive(Debug, Clone)]
pub(crate) struct Relation {
    /// Its object identifier.
    pub(crate) oid: Oid,
    /// Schema and name, each quoted where needed: what goes into a statement.
    pub(crate) qualified: String,
    /// Name without a schema, as it is; the start of collection names.
    pub(crate) bare_name: String,
    /// Whose table it is.
    pub(crate) owner: Oid,
    /// Its columns in order.
    pub(crate) columns: Vec<Column>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    /// Its name, as it is.
    pub(crate) name: String,
    /// Its type, as it may be written in a cast.
    pub(crate) type_name: String,
    /// Position in the primary key, from 1.
    pub(crate) key_position: Option<i32>,
}

impl Column {
    /// The name for a statement.
    pub(crate) fn quoted(&self) -> String {
        quote_identifier(&self.name)
    }
}

impl Relation {
    /// Reads the description of a relation; an error when it is gone or of a kind without rows.
    pub(crate) fn read(oid: Oid) -> Result<Self> {
        let found = spi::read_first(include_str!("../../sql/query/relation.sql"), &[oid.into()], |row| {
            Ok((
                row.get::<String>(1)?,
                row.get::<String>(2)?,
                row.get::<i8>(3)?,
                row.get::<Oid>(4)?,
                row.get::<i8>(5)?,
            ))
        })?;
        let Some((schema, name, kind, owner, persistence)) = found else {
            return Err(VbError::new(
                pgrx::PgSqlErrorCode::ERRCODE_UNDEFINED_TABLE,
                format!(
                    "the source with object identifier {} does not exist any more",
                    oid.to_u32()
                ),
            )
            .hint("It was dropped; enqueue a backfill for the table that took its place."));
        };
        let qualified = quote_qualified_identifier(&schema, &name);
        if !matches!(kind as u8, b'r' | b'p' | b'v' | b'm' | b'f') {
            return Err(VbError::new(
                pgrx::PgSqlErrorCode::ERRCODE_WRONG_OBJECT_TYPE,
                format!("{qualified} is not a table or view"),
            )
            .hint("Name a table, a partitioned table or a view with a declared key."));
        }
        if persistence as u8 == b't' {
            return Err(VbError::new(
                pgrx::PgSqlErrorCode::ERRCODE_WRONG_OBJECT_TYPE,
                format!("{qualified} is a temporary table"),
            )
            .hint("Only the session that made it can read it: name a table that the worker can read too."));
        }
        let columns = spi::read(
            include_str!("../../sql/query/relation_columns.sql"),
            &[oid.into()],
            |row| {
                Ok(Column {
                    name: row.get(1)?,
                    type_name: row.get(2)?,
                    key_position: row.optional(3)?,
                })
            },
        )?;
        Ok(Self {
            oid,
            qualified,
            bare_name: name,
            owner,
            columns,
        })
    }

    /// A column by name, if there is one.
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// A column that a setting names.
    pub(crate) fn require(&self, name: &str, role: &str) -> Result<&Column> {
        self.column(name).ok_or_else(|| {
            let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
            VbError::new(
                pgrx::PgSqlErrorCode::ERRCODE_UNDEFINED_COLUMN,
                format!("{} has no column {name:?} to use as {role}", self.qualified),
            )
            .hint(format!(
                "Its columns are: {}. Change the choice with vb_configure_source.",
                names.join(", ")
            ))
        })
    }
}
