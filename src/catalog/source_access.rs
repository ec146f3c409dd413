//! Who reads a source, and what a user may do with it.

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::{self, Oid};
use pgrx::spi::quote_qualified_identifier;

use super::access::{self, Level};
use super::installation::Installation;
use crate::error::{Result, VbError};
use crate::pg::{relation, role, spi};
use crate::source::describe::Source;

struct Rights {
    schema_usage: bool,
    select: bool,
    ownership: bool,
    schema: String,
    caller: String,
}

/// The role as which a source is read for somebody, such that code of its owner (views, policies, casts, functions) gets no
/// rights that the owner lacks: himself, where the owner has all his rights; else the owner. Where both are superusers, the
/// role that may read everything and do nothing else.
pub(crate) fn acting_role(asking: Oid, source_owner: Oid) -> Oid {
    let is_trusted = role::is_superuser(source_owner) || role::has_rights_of(source_owner, asking);
    match (role::is_superuser(asking), role::is_superuser(source_owner)) {
        (true, true) => Oid::from(pg_sys::ROLE_PG_READ_ALL_DATA),
        (false, _) if is_trusted => asking,
        _ => source_owner,
    }
}

/// The role as which rows that were found are shown to somebody who may read the source: what shows him less than its owner
/// decides as in his own queries, row-level security and whatever a view asks.
pub(crate) fn showing_role(source: &Source, asking: Oid) -> Result<Oid> {
    let acting = acting_role(asking, source.owner);
    if acting == asking {
        return Ok(asking);
    }
    if !role::is_superuser(asking) {
        let is_his_view = may_hide_rows(source.oid, asking)? || place(source.oid)?.depends_on_reader;
        return Ok(if is_his_view { asking } else { acting });
    }
    match may_hide_rows(source.oid, acting)? {
        false => Ok(acting),
        // Policies of a superuser's.
        true if role::is_superuser(source.owner) => Ok(asking),
        true => Err(hidden_from_acting(&source.name)),
    }
}

/// Keeps the source what it is until the end of the transaction; an error unless its name still stands for it: what follows is
/// asked of the object, and read by name.
pub(crate) fn keep(source: Oid, name: &str) -> Result<()> {
    match relation::keep(source) {
        Some((schema, bare_name)) if quote_qualified_identifier(&schema, &bare_name) == name => Ok(()),
        _ => Err(VbError::new(
            PgSqlErrorCode::ERRCODE_T_R_SERIALIZATION_FAILURE,
            format!("{name} is not the table any more that it was a moment ago"),
        )
        .hint("It was renamed, moved or dropped at this moment: try again.")),
    }
}

/// An error unless both roles may read the source, and what is read is what the asking role sees: rows that a policy hides
/// would look as if they had been deleted.
pub(crate) fn require_readable(source: Oid, name: &str, asking: Oid, acting: Oid) -> Result<()> {
    keep(source, name)?;
    role::as_restricted(acting, || require_select(source, name))?;
    require_own_place(source, name, acting)?;
    if asking == acting {
        return Ok(());
    }
    if !role::is_superuser(asking) {
        role::as_restricted(asking, || require_select(source, name))?;
        if may_hide_rows(source, asking)? {
            let (asking, owner) = (access::name_of(asking)?, access::name_of(acting)?);
            return Err(VbError::denied(format!(
                "row-level security of {name} applies to role {asking}, and code of its owner {owner} must not run with \
                 that role's rights"
            ))
            .hint(format!("Ask as role {owner}: SET ROLE first.")));
        }
    }
    if may_hide_rows(source, acting)? {
        return Err(hidden_from_acting(name));
    }
    Ok(())
}

/// Where a relation is, and what it is like.
struct Place {
    depends_on_reader: bool,
    schema_owner: Oid,
    database_owner: Oid,
    schema: String,
}

fn place(source: Oid) -> Result<Place> {
    spi::read_first(
        include_str!("../../sql/query/source_place.sql"),
        &[source.into()],
        |row| {
            Ok(Place {
                depends_on_reader: row.get(1)?,
                schema_owner: row.get(2)?,
                database_owner: row.get(3)?,
                schema: row.get(4)?,
            })
        },
    )?
    .ok_or_else(|| VbError::internal("a source has just been dropped"))
}

/// An error where somebody else could put another relation in the place of the source between two looks at it, with code of
/// his own that would run as the acting role.
fn require_own_place(source: Oid, name: &str, acting: Oid) -> Result<()> {
    let place = place(source)?;
    let owner = place.schema_owner;
    if owner == place.database_owner || role::is_superuser(owner) || role::has_rights_of(owner, acting) {
        return Ok(());
    }
    let (owner, acting) = (access::name_of(owner)?, access::name_of(acting)?);
    Err(VbError::denied(format!(
        "{name} is read as role {acting}, and the owner of schema {}, {owner}, could put something else in its place",
        place.schema
    ))
    .hint(format!(
        "Ask as role {owner}, or move the table: ALTER TABLE … SET SCHEMA."
    )))
}

fn hidden_from_acting(name: &str) -> VbError {
    VbError::denied(format!(
        "row-level security may hide rows of {name} from the role as which it is read for a superuser"
    ))
    .hint("Ask as a role without superuser rights that its policies let read the rows: SET ROLE first.")
}

fn may_hide_rows(source: Oid, role: Oid) -> Result<bool> {
    let statement = include_str!("../../sql/query/source_row_security.sql");
    let found = role::as_restricted(role, || {
        spi::read_first(statement, &[source.into()], |row| row.get::<bool>(1))
    })?;
    Ok(found == Some(true))
}

/// An error unless whoever asked for work still has all rights that it takes.
pub(crate) fn require_rights(
    installation: &Installation,
    source: &Source,
    client_id: i64,
    asking: Oid,
    acting: Oid,
) -> Result<()> {
    let Some(name) = access::find_name(asking)? else {
        return Err(VbError::missing(format!(
            "the role that asked for it, number {}, is gone",
            asking.to_u32()
        ))
        .hint("Cancel it and ask for it anew as another role."));
    };
    if !access::has(installation, asking, client_id, Level::Write)? {
        return Err(access::denied(&name, client_id, Level::Write));
    }
    require_readable(source.oid, &source.name, asking, acting)
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
