//! Keeping sources in step with their rows.

use pgrx::datum::{Interval, TimestampWithTimeZone};
use pgrx::iter::TableIterator;
use pgrx::name;
use pgrx::pg_extern;
use pgrx::pg_sys::Oid;

use super::{announce_work, on_primary, required};
use crate::catalog::installation::Installation;
use crate::catalog::sync_status;
use crate::catalog::syncs::{self, Followed};
use crate::error::VbError;
use crate::pg::catch::respond;
use crate::pg::notice;
use crate::worker::service::snapshots;

#[pg_extern(sql = false)]
fn vb_enable_sync(source: Option<Oid>, vector_types: Option<Vec<Option<String>>>) {
    respond(|| {
        let source = required(source, "source")?;
        let vector_types = required(vector_types, "vector_types")?;
        let vector_types = vector_types
            .into_iter()
            .map(|vector_type| required(vector_type, "an element of vector_types"))
            .collect::<Result<_, _>>()?;
        snapshots::require_moving("begin to follow changes: it would not see those of others that end meanwhile")?;
        if syncs::enable(&on_primary()?, source, vector_types)? == Followed::ByHand {
            notice::notice(
                VbError::new(
                    pgrx::PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION,
                    "changes of this source are not seen by themselves, since it can have no triggers for rows",
                )
                .hint(
                    "Put AFTER triggers on the tables below it that execute vb_sync_trigger('schema.source'), named with \
                     its schema.",
                ),
            );
        }
        announce_work();
        Ok(())
    })
}

#[pg_extern(sql = false)]
fn vb_disable_sync(source: Option<Oid>) -> bool {
    respond(|| syncs::disable(&on_primary()?, required(source, "source")?))
}

#[pg_extern(sql = false)]
#[expect(clippy::type_complexity, reason = "the SQL function has as many columns")]
fn vb_sync_status() -> TableIterator<
    'static,
    (
        name!(source, Oid),
        name!(pending, i64),
        name!(oldest_pending, Option<Interval>),
        name!(applied, i64),
        name!(failed, i64),
        name!(last_applied_at, Option<TimestampWithTimeZone>),
        name!(vector_types, Vec<String>),
        name!(latency_p50, Option<Interval>),
        name!(latency_p95, Option<Interval>),
        name!(latency_max, Option<Interval>),
        name!(trouble, Option<String>),
    ),
> {
    let status = respond(|| sync_status::status(&Installation::require()?));
    TableIterator::new(status.into_iter().map(|status| {
        let [p50, p95, max] = status.latencies;
        (
            status.source,
            status.pending,
            status.oldest_pending,
            status.applied,
            status.failed,
            status.last_applied_at,
            status.vector_types,
            p50,
            p95,
            max,
            status.trouble,
        )
    }))
}
