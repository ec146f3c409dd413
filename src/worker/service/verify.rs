//! Whether rows, references and points agree, in both directions; and making them agree.
//!
//! The worker writes nothing of the client meanwhile, so what is found is true. Everything is compared page by page: `rows`
//! against references, and `points` against references, both in the order of their ids.

mod points;
mod rows;

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::Oid;
use serde_json::json;

use super::hold;
use crate::catalog::access::{self, Level};
use crate::catalog::audit::Deed;
use crate::catalog::collections;
use crate::catalog::installation::Installation;
use crate::catalog::job_request::JobRequest;
use crate::catalog::references::Owner;
use crate::catalog::source_access;
use crate::catalog::spending::SpendingLimits;
use crate::error::{Result, VbError};
use crate::pg::{notice, role, signal, spi};
use crate::source::describe;
use crate::source::work_list::Scope;

/// How often a batch of a repair may fail for passing reasons, as `vb_enqueue_backfill` has it.
const MAX_RETRIES: i32 = 3;

/// What a comparison found.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Verified {
    /// References that were compared with rows and points.
    pub(crate) checked: i64,
    /// References whose point the store lacks.
    pub(crate) missing_points: i64,
    /// Points that no reference names.
    pub(crate) orphan_points: i64,
    /// Records whose reference is of another text than the row has now.
    pub(crate) stale_records: i64,
    /// Rows with text that have neither a reference nor were set aside.
    pub(crate) missing_records: i64,
    /// Findings that were mended, or that the job mends.
    pub(crate) repaired: i64,
    /// Points that are not made from what their reference says.
    pub(crate) changed_points: i64,
    /// Records that have a reference and no row with text.
    pub(crate) orphan_references: i64,
    /// The job that makes what is missing, if one is needed.
    pub(crate) job_id: Option<i64>,
}

impl Verified {
    /// Findings that a backfill mends.
    fn for_a_job(&self) -> i64 {
        self.missing_points + self.changed_points + self.stale_records + self.missing_records + self.orphan_references
    }
}

/// Compares what a client has of a source, and mends it when that is wanted: what no reference names is removed from the
/// store, the rest is left to a job, which begins when the transaction commits.
pub(crate) fn verify(
    installation: &Installation,
    client_id: i64,
    source: Oid,
    vector_type: &str,
    repair: bool,
) -> Result<Verified> {
    access::require(installation, client_id, Level::Write)?;
    let source = describe::describe(installation, source, vector_type)?;
    let asking = role::current();
    let acting = source_access::acting_role(asking, source.owner);
    source_access::require_readable(source.oid, &source.name, asking, acting)?;
    hold::client(installation, client_id)?;
    let owner = Owner {
        client_id,
        source: source.oid,
        vector_type,
    };
    let collection = role::as_owner(installation.owner, || collections::active(installation, owner))?;
    let scope = Scope::of_serving(acting, owner, collection.as_ref());
    let go_on = || {
        signal::check_interrupts();
        Ok(())
    };
    let mut found = Verified::default();
    // Batches that were waited for are seen as well.
    spi::seeing_now(|| {
        role::as_owner(installation.owner, || {
            rows::compare(installation, &source, &scope, owner, &go_on, &mut found)?;
            match &collection {
                Some(collection) => points::compare(installation, owner, collection, repair, &mut found),
                None => Ok(()),
            }
        })
    })?;
    if repair {
        found.repaired = found.for_a_job() + found.orphan_points;
        if found.for_a_job() > 0 {
            found.job_id = Some(enqueue(installation, owner)?);
        }
        let detail = json!({ "repaired": found.repaired, "orphan_points": found.orphan_points });
        Deed::new("repair")
            .by(asking)
            .client(client_id)
            .job(found.job_id)
            .subject(&source.name)
            .detail(detail)
            .note(installation)?;
    }
    Ok(found)
}

/// The job that makes what is missing.
fn enqueue(installation: &Installation, owner: Owner<'_>) -> Result<i64> {
    let request = JobRequest {
        client_id: owner.client_id,
        source: owner.source,
        vector_type: owner.vector_type.to_owned(),
        preference: "auto".to_owned(),
        provider: None,
        batch_size: None,
        max_retries: MAX_RETRIES,
        priority: None,
        reembed: false,
        limits: SpendingLimits {
            tokens: None,
            cost: None,
        },
    };
    let job = request.enqueue(installation)?;
    notice::notice(
        VbError::new(
            PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION,
            format!("job {} makes what is missing", job.job_id),
        )
        .hint(format!(
            "It begins when this transaction commits. Then: select vb_wait({});",
            job.job_id
        )),
    );
    if !job.state.is_runnable() {
        notice::warn(
            VbError::wrong_state(format!("job {} is paused", job.job_id))
                .hint(format!("Let it go on with select vb_resume({}).", job.job_id)),
        );
    }
    Ok(job.job_id)
}
