//! Who reads a source, and what a user may do with it.

use pgrx::pg_sys::{self, Oid};

use crate::error::{Result, VbError};
use crate::pg::{role, spi};

struct Rights {
    schema_usage: bool,
    select: bool,
    ownership: bool,
    schema: String,
    caller: String,
}

/// The role as which a source is read for somebody: himself; for a superuser the owner of the source, or, where that is a
/// superuser too, the role that may read everything and do nothing else. Code of other people (views, casts, functions)
/// never runs as a superuser.
pub(crate) fn acting_role(asking: Oid, source_owner: Oid) -> Oid {
    [asking, source_owner]
        .into_iter()
        .find(|candidate| !role::is_superuser(*candidate))
        .unwrap_or(Oid::from(pg_sys::ROLE_PG_READ_ALL_DATA))
}

/// An error unless the acting role may read the source. Where it acts for a superuser, who would see all rows, it also has
/// to: rows that a policy hides would look as if they had been deleted.
pub(crate) fn require_readable(source: Oid, name: &str, asking: Oid, acting: Oid) -> Result<()> {
    let may_hide_rows = role::as_restricted(acting, || {
        require_select(source, name)?;
        let statement = include_str!("../../sql/query/source_row_security.sql");
        spi::read_first(statement, &[source.into()], |row| row.get::<bool>(1))
    })?;
    if asking == acting || may_hide_rows != Some(true) {
        return Ok(());
    }
    Err(VbError::denied(format!(
        "row-level security may hide rows of {name} from the role as which it is read for a superuser"
    ))
    .hint("Enqueue as a role without superuser rights that its policies let read the rows: SET ROLE first."))
}

/// An error unless the caller may read every column of the source.
pub(crate) fn require_select(source: Oid, name: &str) -> Result<()> {
    let rights = of_caller(source, name)?;
    if !rights.schema_usage {
        return Err(
            VbError::denied(format!("permission denied for schema {}", rights.schema))
                .hint(format!("GRANT USAGE ON SCHEMA {} TO {}.", rights.schema, rights.caller)),
        );
    }
    if !rights.select {
        return Err(VbError::denied(format!("permission denied for table {name}"))
            .hint(format!("GRANT SELECT ON {name} TO {}.", rights.caller)));
    }
    Ok(())
}

/// An error unless the caller owns the source, himself or through a role he is a member of.
pub(crate) fn require_ownership(source: Oid, name: &str) -> Result<()> {
    if of_caller(source, name)?.ownership {
        return Ok(());
    }
    Err(VbError::denied(format!("must be owner of table {name}"))
        .hint("Ask the owner of the table, or a superuser, to configure it."))
}

fn of_caller(source: Oid, name: &str) -> Result<Rights> {
    spi::read_first(
        include_str!("../../sql/query/source_caller.sql"),
        &[source.into()],
        |row| {
            Ok(Rights {
                schema_usage: row.get(1)?,
                select: row.get(2)?,
                ownership: row.get(3)?,
                schema: row.get(4)?,
                caller: row.get(5)?,
            })
        },
    )?
    .ok_or_else(|| VbError::internal(format!("table {name} has just been dropped")))
}
