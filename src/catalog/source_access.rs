//! What the calling user may do with a source. Not to be asked while acting as somebody else.

use crate::error::{Result, VbError};
use crate::pg::spi;
use crate::source::columns::Relation;

struct Rights {
    schema_usage: bool,
    select: bool,
    ownership: bool,
    schema: String,
    caller: String,
}

/// An error unless the caller may read every column of the source.
pub(crate) fn require_select(relation: &Relation) -> Result<()> {
    let rights = of_caller(relation)?;
    if !rights.schema_usage {
        return Err(
            VbError::denied(format!("permission denied for schema {}", rights.schema))
                .hint(format!("GRANT USAGE ON SCHEMA {} TO {}.", rights.schema, rights.caller)),
        );
    }
    if !rights.select {
        return Err(
            VbError::denied(format!("permission denied for table {}", relation.qualified))
                .hint(format!("GRANT SELECT ON {} TO {}.", relation.qualified, rights.caller)),
        );
    }
    Ok(())
}

/// An error unless the caller owns the source, himself or through a role he is a member of.
pub(crate) fn require_ownership(relation: &Relation) -> Result<()> {
    if of_caller(relation)?.ownership {
        return Ok(());
    }
    Err(
        VbError::denied(format!("must be owner of table {}", relation.qualified))
            .hint("Ask the owner of the table, or a superuser, to configure it."),
    )
}

fn of_caller(relation: &Relation) -> Result<Rights> {
    spi::read_first(
        include_str!("../../sql/query/source_caller.sql"),
        &[relation.oid.into()],
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
    .ok_or_else(|| VbError::internal(format!("table {} has just been dropped", relation.qualified)))
}
