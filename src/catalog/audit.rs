//! Who did what that others may ask about.

use std::time::Duration;

use pgrx::pg_sys::Oid;
use serde_json::Value;

use super::installation::Installation;
use crate::error::Result;
use crate::pg::{role, spi};

/// Notes what a role did, in its transaction: the verb; the client it is about, all of them without one; the job, and the
/// source, provider or role, if it is about one; and with which arguments, never a secret.
pub(crate) fn note(
    installation: &Installation,
    by: Oid,
    action: &str,
    client_id: Option<i64>,
    job_id: Option<i64>,
    subject: Option<&str>,
    detail: Value,
) -> Result<()> {
    role::as_owner(installation.owner, || {
        spi::run(
            &installation.sql(include_str!("../../sql/query/audit_note.sql")),
            &[
                action.into(),
                by.into(),
                role::of_session().into(),
                client_id.into(),
                job_id.into(),
                subject.into(),
                detail.to_string().into(),
            ],
        )
        .map(|_| ())
    })
}

/// Removes what is older.
pub(crate) fn retire(installation: &Installation, retention: Duration) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/audit_retire.sql")),
        &[retention.as_secs_f64().into()],
    )
    .map(|_| ())
}
