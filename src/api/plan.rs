//! Planning a backfill of many sources, and starting it.

use pgrx::datum::Interval;
use pgrx::iter::TableIterator;
use pgrx::pg_sys::Oid;
use pgrx::{AnyNumeric, name, pg_extern};

use super::{announce_work, on_primary, required};
use crate::catalog::job_request::JobRequest;
use crate::catalog::spending::SpendingLimits;
use crate::error::{Result, VbError};
use crate::pg::catch::respond;
use crate::worker::service::plan::{self, Planned};

/// Costs are rounded to so many parts of a unit.
const COST_PARTS: f64 = 1e6;

/// The default of `vb_enqueue_backfill`.
const MAX_RETRIES: i32 = 3;

#[pg_extern(sql = false)]
#[expect(clippy::type_complexity, reason = "the SQL function has as many columns")]
fn vb_plan_backfill(
    client_id: Option<i64>,
    sources: Option<Vec<Option<Oid>>>,
) -> TableIterator<
    'static,
    (
        name!(source, Oid),
        name!(priority, i32),
        name!(record_count, i64),
        name!(preference, String),
        name!(provider, Option<String>),
        name!(batch_size, i32),
        name!(estimated_tokens, Option<i64>),
        name!(estimated_cost, Option<AnyNumeric>),
        name!(estimated_duration, Option<Interval>),
        name!(reason, String),
        name!(records_to_embed, i64),
    ),
> {
    respond(|| {
        let client_id = required(client_id, "client_id")?;
        let planned = plan::plan(&on_primary()?, client_id, listed(sources)?, "content")?;
        Ok(TableIterator::new(planned.into_iter().map(|one| {
            (
                one.source,
                one.priority,
                one.records as i64,
                one.preference.as_str().to_owned(),
                one.provider,
                one.batch_size as i32,
                one.tokens.map(|tokens| tokens.round() as i64),
                one.cost
                    .and_then(|cost| AnyNumeric::try_from((cost * COST_PARTS).round() / COST_PARTS).ok()),
                one.seconds.map(|seconds| Interval::from_micros((seconds * 1e6) as i64)),
                one.reason,
                one.needed as i64,
            )
        })))
    })
}

#[pg_extern(sql = false)]
fn vb_start_backfill(
    client_id: Option<i64>,
    sources: Option<Vec<Option<Oid>>>,
    vector_type: Option<String>,
) -> TableIterator<
    'static,
    (
        name!(job_id, i64),
        name!(source, Oid),
        name!(priority, i32),
        name!(record_count, i64),
        name!(provider, Option<String>),
        name!(batch_size, i32),
    ),
> {
    respond(|| {
        let client_id = required(client_id, "client_id")?;
        let vector_type = required(vector_type, "vector_type")?;
        let installation = on_primary()?;
        let planned = plan::plan(&installation, client_id, listed(sources)?, &vector_type)?;
        let mut started = Vec::with_capacity(planned.len());
        for Planned {
            source,
            priority,
            records,
            provider,
            batch_size,
            ..
        } in planned
        {
            let request = JobRequest {
                client_id,
                source,
                vector_type: vector_type.clone(),
                preference: "auto".to_owned(),
                provider: None,
                batch_size: None,
                max_retries: MAX_RETRIES,
                priority: None,
                reembed: false,
                limits: SpendingLimits::default(),
            };
            let job_id = request.enqueue(&installation)?.job_id;
            started.push((job_id, source, priority, records as i64, provider, batch_size as i32));
        }
        if !started.is_empty() {
            announce_work();
        }
        Ok(TableIterator::new(started))
    })
}

fn listed(sources: Option<Vec<Option<Oid>>>) -> Result<Option<Vec<Oid>>> {
    let Some(sources) = sources else { return Ok(None) };
    let all = sources.into_iter().map(|source| {
        source.ok_or_else(|| {
            VbError::invalid("sources contains NULL").hint("Name tables, or give NULL instead of the array.")
        })
    });
    all.collect::<Result<Vec<Oid>>>().map(Some)
}
