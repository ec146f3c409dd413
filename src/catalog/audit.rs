//! Who did what that others may ask about.

use std::time::Duration;

use pgrx::pg_sys::Oid;
use serde_json::{Value, json};

use super::installation::Installation;
use crate::error::Result;
use crate::pg::{role, spi};

/// Something that a role did.
#[derive(Debug)]
pub(crate) struct Deed<'a> {
    action: &'a str,
    by: Oid,
    client_id: Option<i64>,
    job_id: Option<i64>,
    subject: Option<&'a str>,
    detail: Value,
}

impl<'a> Deed<'a> {
    /// The current role did this, to all clients.
    pub(crate) fn new(action: &'a str) -> Self {
        Self {
            action,
            by: role::current(),
            client_id: None,
            job_id: None,
            subject: None,
            detail: json!({}),
        }
    }

    /// This role did it.
    pub(crate) fn by(self, by: Oid) -> Self {
        Self { by, ..self }
    }

    /// To this client, or to all.
    pub(crate) fn client(self, client_id: impl Into<Option<i64>>) -> Self {
        Self {
            client_id: client_id.into(),
            ..self
        }
    }

    /// To this job, or with it.
    pub(crate) fn job(self, job_id: impl Into<Option<i64>>) -> Self {
        Self {
            job_id: job_id.into(),
            ..self
        }
    }

    /// To this source, provider or role, by its name.
    pub(crate) fn subject(self, name: &'a str) -> Self {
        Self {
            subject: Some(name),
            ..self
        }
    }

    /// With these arguments, never a secret.
    pub(crate) fn detail(self, detail: Value) -> Self {
        Self { detail, ..self }
    }

    /// Notes it in its transaction.
    pub(crate) fn note(self, installation: &Installation) -> Result<()> {
        role::as_owner(installation.owner, || {
            spi::run(
                &installation.sql(include_str!("../../sql/query/audit_note.sql")),
                &[
                    self.action.into(),
                    self.by.into(),
                    role::of_session().into(),
                    self.client_id.into(),
                    self.job_id.into(),
                    self.subject.into(),
                    self.detail.to_string().into(),
                ],
            )
            .map(|_| ())
        })
    }
}

/// Removes what is older.
pub(crate) fn retire(installation: &Installation, retention: Duration) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/audit_retire.sql")),
        &[retention.as_secs_f64().into()],
    )
    .map(|_| ())
}
