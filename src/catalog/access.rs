//! Who may do what with which client.
//!
//! The right to call a function is the first door; this is the second, which every function asks about its caller.

use pgrx::pg_sys::Oid;
use serde_json::json;

use super::audit::Deed;
use super::installation::Installation;
use crate::error::{Result, VbError};
use crate::pg::{role, spi};

/// What somebody may do with what a client has, each including the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Search, and see progress.
    Read,
    /// Enqueue and control.
    Write,
    /// Configure, for all clients.
    Admin,
}

impl Level {
    /// The level of that name.
    pub(crate) fn parse(name: &str) -> Result<Self> {
        match name {
            "read" => Ok(Self::Read),
            "write" => Ok(Self::Write),
            "admin" => Ok(Self::Admin),
            _ => Err(VbError::invalid(format!("unknown level {name:?}")).hint(
                "Levels are 'read' (progress and search), 'write' (also enqueue and control) and, for all clients only, 'admin'.",
            )),
        }
    }

    /// The name that users see.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// What a role may do with a client, or with all.
#[derive(Debug, Clone)]
struct Rights {
    administers: bool,
    is_monitor: bool,
    reads: bool,
    writes: bool,
    writes_any: bool,
    reads_by_name: Vec<i64>,
}

impl Rights {
    /// Those of a role with the client, or with all where there is none.
    fn of(installation: &Installation, role: Oid, client: Option<i64>) -> Result<Self> {
        let statement = installation.sql(include_str!("../../sql/query/access_of_role.sql"));
        let found = role::as_owner(installation.owner, || {
            spi::read_first(&statement, &[role.into(), client.into()], |row| {
                Ok(Self {
                    administers: row.get(1)?,
                    is_monitor: row.get(2)?,
                    reads: row.get(3)?,
                    writes: row.get(4)?,
                    writes_any: row.get(5)?,
                    reads_by_name: row.get(6)?,
                })
            })
        })?;
        found.ok_or_else(|| VbError::internal("the extension is gone"))
    }

    fn reach(&self, level: Level) -> bool {
        self.administers
            || match level {
                Level::Read => self.reads,
                Level::Write => self.writes,
                Level::Admin => false,
            }
    }
}

/// Whether a role may do that with what a client has.
pub(crate) fn has(installation: &Installation, role: Oid, client: i64, level: Level) -> Result<bool> {
    Ok(Rights::of(installation, role, Some(client))?.reach(level))
}

/// An error unless the caller may do that with what a client has. It is the same whether there is such a client or not.
pub(crate) fn require(installation: &Installation, client: i64, level: Level) -> Result<()> {
    let caller = role::current();
    if has(installation, caller, client, level)? {
        return Ok(());
    }
    Err(denied(&name_of(caller)?, client, level))
}

/// The error for a role that may not do that with a client.
pub(crate) fn denied(role: &str, client: i64, level: Level) -> VbError {
    let level = level.as_str();
    VbError::denied(format!("role {role} has no {level} access to client {client}")).hint(format!(
        "An administrator grants it with SELECT vb_grant_access('{role}', {client}, '{level}')."
    ))
}

/// An error unless the caller may do that with what any client has.
pub(crate) fn require_all(installation: &Installation, level: Level, what: &str) -> Result<()> {
    let caller = role::current();
    if Rights::of(installation, caller, None)?.reach(level) {
        return Ok(());
    }
    let (role, level) = (name_of(caller)?, level.as_str());
    Err(VbError::denied(format!(
        "role {role} has no {level} access to all clients, which is needed to {what}"
    ))
    .hint(format!(
        "An administrator grants it with SELECT vb_grant_access('{role}', NULL, '{level}')."
    )))
}

/// Whether the caller may do that with what any client has.
pub(crate) fn has_all(installation: &Installation, level: Level) -> Result<bool> {
    Ok(Rights::of(installation, role::current(), None)?.reach(level))
}

/// An error unless the caller may write what one client at least has.
pub(crate) fn require_any(installation: &Installation, what: &str) -> Result<()> {
    let caller = role::current();
    let rights = Rights::of(installation, caller, None)?;
    if rights.administers || rights.writes_any {
        return Ok(());
    }
    Err(VbError::denied(format!(
        "role {} has no write access to any client, which is needed to {what}",
        name_of(caller)?
    ))
    .hint("An administrator grants it with vb_grant_access."))
}

/// What the caller sees of all clients.
#[derive(Debug, Clone)]
pub(crate) struct Sight {
    /// Whether he may read what any client has.
    pub(crate) reads_all: bool,
    /// Whether he sees the progress of all clients, without texts.
    pub(crate) is_monitor: bool,
    /// The clients he may read besides.
    pub(crate) reads: Vec<i64>,
}

impl Sight {
    /// That of the caller.
    pub(crate) fn of_caller(installation: &Installation) -> Result<Self> {
        let rights = Rights::of(installation, role::current(), None)?;
        Ok(Self {
            reads_all: rights.reach(Level::Read),
            is_monitor: rights.is_monitor,
            reads: rights.reads_by_name,
        })
    }

    /// Whether that is everybody's.
    pub(crate) fn sees_all(&self) -> bool {
        self.reads_all || self.is_monitor
    }

    /// Whether what a client has may be seen.
    pub(crate) fn sees(&self, client: i64) -> bool {
        self.sees_all() || self.reads.contains(&client)
    }

    /// Whether texts that a client's rows may be part of may be seen.
    pub(crate) fn reads(&self, client: i64) -> bool {
        self.reads_all || self.reads.contains(&client)
    }
}

/// The name of a role as SQL writes it, or its number when it is gone.
pub(crate) fn name_of(role: Oid) -> Result<String> {
    Ok(find_name(role)?.unwrap_or_else(|| role.to_u32().to_string()))
}

/// The name of a role as SQL writes it, if there is one with this number.
pub(crate) fn find_name(role: Oid) -> Result<Option<String>> {
    spi::read_first(include_str!("../../sql/query/role_name.sql"), &[role.into()], |row| {
        row.get(1)
    })
}

/// Lets a role do that with what a client has, or all clients without one.
pub(crate) fn grant(installation: &Installation, role: Oid, client: Option<i64>, level: Level) -> Result<()> {
    require_all(installation, Level::Admin, "grant access")?;
    check(client, level)?;
    require_role(role)?;
    let grantor = role::current();
    role::as_owner(installation.owner, || {
        begin(installation)?;
        spi::run(
            &installation.sql(include_str!("../../sql/query/access_grant.sql")),
            &[role.into(), client.into(), level.as_str().into(), grantor.into()],
        )?;
        apply(installation, role)
    })?;
    note(installation, "grant", role, client, level)
}

/// Takes that level and those above it from a role; false when it had none of them.
pub(crate) fn revoke(installation: &Installation, role: Oid, client: Option<i64>, level: Level) -> Result<bool> {
    require_all(installation, Level::Admin, "revoke access")?;
    check(client, level)?;
    require_role(role)?;
    let revoker = role::current();
    let taken = role::as_owner(installation.owner, || {
        begin(installation)?;
        let taken = spi::first(
            &installation.sql(include_str!("../../sql/query/access_revoke.sql")),
            &[role.into(), client.into(), level.as_str().into(), revoker.into()],
            |row| row.get::<i64>(1),
        )?;
        apply(installation, role)?;
        Ok::<_, VbError>(taken.unwrap_or(0) > 0)
    })?;
    if taken {
        note(installation, "revoke", role, client, level)?;
    }
    Ok(taken)
}

fn note(installation: &Installation, action: &str, role: Oid, client_id: Option<i64>, level: Level) -> Result<()> {
    let name = name_of(role)?;
    let detail = json!({ "level": level.as_str() });
    Deed::new(action)
        .client(client_id)
        .subject(&name)
        .detail(detail)
        .note(installation)
}

fn require_role(role: Oid) -> Result<()> {
    match find_name(role)? {
        Some(_) => Ok(()),
        None => Err(
            VbError::missing(format!("there is no role with number {}", role.to_u32()))
                .hint("Give the name of a role, as in vb_grant_access('clerk', 1, 'read')."),
        ),
    }
}

fn check(client: Option<i64>, level: Level) -> Result<()> {
    match client {
        Some(client) if client < 0 => Err(
            VbError::invalid(format!("client_id is {client} and must not be negative"))
                .hint("Clients are numbered from 0; NULL means all of them."),
        ),
        Some(_) if level == Level::Admin => Err(VbError::invalid("level 'admin' is for all clients only")
            .hint("Give NULL for client_id, or 'write' for level.")),
        _ => Ok(()),
    }
}

fn begin(installation: &Installation) -> Result<()> {
    spi::run(&installation.sql(include_str!("../../sql/query/access_lock.sql")), &[])?;
    spi::run(
        &installation.sql(include_str!("../../sql/query/access_forget.sql")),
        &[],
    )
    .map(|_| ())
}

/// Makes the rights to functions and views agree.
fn apply(installation: &Installation, role: Oid) -> Result<()> {
    let statement = installation.sql(include_str!("../../sql/query/access_apply.sql"));
    spi::run(&statement, &[role.into()]).map(|_| ())
}
