//! Granting access.

use pgrx::pg_extern;
use pgrx::pg_sys::Oid;

use super::{on_primary, required};
use crate::catalog::access::{self, Level};
use crate::pg::catch::respond;

#[pg_extern(sql = false)]
fn vb_grant_access(role: Option<Oid>, client_id: Option<i64>, level: Option<String>) {
    respond(|| {
        let level = Level::parse(&required(level, "level")?)?;
        access::grant(&on_primary()?, required(role, "role")?, client_id, level)
    })
}

#[pg_extern(sql = false)]
fn vb_revoke_access(role: Option<Oid>, client_id: Option<i64>, level: Option<String>) -> bool {
    respond(|| {
        let level = Level::parse(&required(level, "level")?)?;
        access::revoke(&on_primary()?, required(role, "role")?, client_id, level)
    })
}
