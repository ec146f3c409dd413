//! Which schema the extension is in, who owns it, and how its statements are addressed.

use pgrx::pg_sys::Oid;
use pgrx::spi::quote_identifier;
use uuid::Uuid;

use super::access::{self, Level};
use super::audit::Deed;
use crate::error::{Result, VbError};
use crate::pg::{relation, role, spi, transaction};

/// The extension as installed in this database.
#[derive(Debug, Clone)]
pub(crate) struct Installation {
    /// Its schema, quoted.
    schema: String,
    /// The role that owns its tables.
    pub(crate) owner: Oid,
}

impl Installation {
    /// Finds the extension in this database; `None` when it is not installed.
    pub(crate) fn find() -> Result<Option<Self>> {
        spi::read_first(include_str!("../../sql/query/installation.sql"), &[], |row| {
            Ok(Self {
                schema: quote_identifier(row.get::<String>(1)?),
                owner: row.get(2)?,
            })
        })
    }

    /// The same while its schema may have got another name, or have gone with the extension.
    pub(crate) fn moved_with(&self, table: Oid) -> Option<Self> {
        let schema = relation::schema_of(table)?;
        Some(Self {
            schema: quote_identifier(schema),
            owner: self.owner,
        })
    }

    /// One of its tables.
    pub(crate) fn table(&self, name: &str) -> Result<Oid> {
        let name = self.sql(&format!("@extschema@.{}", quote_identifier(name)));
        let found = spi::read_first(include_str!("../../sql/query/table.sql"), &[name.into()], |row| {
            row.get::<Oid>(1)
        })?;
        found.ok_or_else(|| VbError::internal("a table of the extension is gone"))
    }

    /// Finds the extension, which must be there.
    pub(crate) fn require() -> Result<Self> {
        Self::find()?.ok_or_else(|| {
            VbError::missing("extension \"vector_backfill\" is not installed in this database")
                .hint("Run CREATE EXTENSION vector_backfill.")
        })
    }

    /// Gives the installation its id, unless it has one.
    pub(crate) fn begin(&self) -> Result<()> {
        spi::run(&self.sql(include_str!("../../sql/query/installation_begin.sql")), &[]).map(|_| ())
    }

    /// The id of this installation: the namespace of its point ids. `None` before its first worker.
    pub(crate) fn id(&self) -> Result<Option<Uuid>> {
        let id: Option<String> = spi::read_first(
            &self.sql(include_str!("../../sql/query/installation_id.sql")),
            &[],
            |row| row.get(1),
        )?;
        Ok(id.and_then(|id| Uuid::parse_str(&id).ok()))
    }

    /// Whether the installation's collections in Qdrant belong to this database. Those of a copy belong to the one that it is a
    /// copy of, until somebody says otherwise.
    pub(crate) fn is_original(&self) -> Result<bool> {
        let statement = self.sql(include_str!("../../sql/query/installation_is_original.sql"));
        Ok(spi::read_first(&statement, &[], |row| row.get(1))?.unwrap_or(true))
    }

    /// Makes a copy that has nothing in any store yet an installation of its own. Only while nothing works with its id.
    pub(crate) fn separate(&self) -> Result<()> {
        spi::run(
            &self.sql(include_str!("../../sql/query/installation_separate.sql")),
            &[],
        )
        .map(|_| ())
    }

    /// They belong to this database from now on, since an administrator says so; tells whether that is news.
    pub(crate) fn claim(&self) -> Result<bool> {
        access::require_all(self, Level::Admin, "claim collections")?;
        let statement = self.sql(include_str!("../../sql/query/installation_claim.sql"));
        let is_news = role::as_owner(self.owner, || spi::run(&statement, &[]))? > 0;
        if is_news {
            Deed::new("claim_store").note(self)?;
        }
        Ok(is_news)
    }

    /// A statement of `sql/query` with the schema put in, so that no search_path matters.
    pub(crate) fn sql(&self, statement: &str) -> String {
        statement.replace("@extschema@", &self.schema)
    }
}

/// Runs the body in a transaction of its own with the installation of this id; `None` when the extension is gone, or was
/// created again since.
pub(crate) fn transact<R>(id: Uuid, body: impl FnOnce(&Installation) -> Result<R>) -> Result<Option<R>> {
    transaction::run(|| match Installation::find()? {
        Some(installation) if installation.id()? == Some(id) => body(&installation).map(Some),
        _ => Ok(None),
    })
}
