//! How things are.

use pgrx::datum::TimestampWithTimeZone;
use pgrx::iter::TableIterator;
use pgrx::{name, pg_extern};

use crate::catalog::access::Sight;
use crate::catalog::installation::Installation;
use crate::catalog::{health, worker_list};
use crate::pg::catch::respond;

#[pg_extern(sql = false)]
#[expect(clippy::type_complexity, reason = "the SQL function has as many columns")]
fn vb_worker_list() -> TableIterator<
    'static,
    (
        name!(pid, i32),
        name!(state, String),
        name!(since, Option<TimestampWithTimeZone>),
        name!(memory_bytes, Option<i64>),
        name!(waiting_for, Option<String>),
        name!(preloaded, bool),
    ),
> {
    respond(|| {
        let installation = Installation::require()?;
        let sees_all = Sight::of_caller(&installation)?.sees_all();
        let preloaded = worker_list::is_preloaded(&installation)?;
        let workers = worker_list::list(&installation)?;
        Ok(TableIterator::new(workers.into_iter().map(move |worker| {
            (
                worker.pid,
                worker.state,
                worker.since,
                worker.memory_bytes,
                // It names clients.
                worker.waiting_for.filter(|_| sees_all),
                preloaded,
            )
        })))
    })
}

#[pg_extern(sql = false)]
#[expect(clippy::type_complexity, reason = "the SQL function has as many columns")]
fn vb_health() -> TableIterator<
    'static,
    (
        name!(severity, String),
        name!(finding, String),
        name!(hint, String),
        name!(cause, String),
        name!(job_id, Option<i64>),
        name!(client_id, Option<i64>),
    ),
> {
    respond(|| {
        let findings = health::findings(&Installation::require()?)?;
        Ok(TableIterator::new(findings.into_iter().map(|found| {
            (
                found.severity.as_str().to_owned(),
                found.finding,
                found.hint,
                found.cause.as_str().to_owned(),
                found.job,
                found.client,
            )
        })))
    })
}
