//! Asking for work and controlling it.

use std::time::Duration;

use pgrx::AnyNumeric;
use pgrx::datum::Interval;
use pgrx::pg_extern;
use pgrx::pg_sys::Oid;

use super::{announce_work, on_primary, required};
use crate::catalog::installation::Installation;
use crate::catalog::job_control;
use crate::catalog::job_request::{self, JobRequest};
use crate::catalog::spending::{self, ClientLimits, SpendingLimits};
use crate::error::{Result, VbError};
use crate::pg::catch::respond;
use crate::worker::service::{presence, wait};

#[pg_extern(sql = false)]
#[expect(clippy::too_many_arguments, reason = "the SQL function has as many")]
fn vb_enqueue_backfill(
    client_id: Option<i64>,
    source: Option<Oid>,
    vector_type: Option<String>,
    preference: Option<String>,
    provider: Option<String>,
    batch_size: Option<i32>,
    max_retries: Option<i32>,
    priority: Option<i32>,
    reembed: Option<bool>,
    max_tokens: Option<i64>,
    max_cost: Option<AnyNumeric>,
) -> i64 {
    respond(|| {
        let request = JobRequest {
            client_id: required(client_id, "client_id")?,
            source: required(source, "source")?,
            vector_type: required(vector_type, "vector_type")?,
            preference: required(preference, "preference")?,
            provider,
            batch_size,
            max_retries: required(max_retries, "max_retries")?,
            priority,
            reembed: required(reembed, "reembed")?,
            limits: SpendingLimits {
                tokens: max_tokens,
                cost: max_cost,
            },
        };
        let enqueued = request.enqueue(&on_primary()?)?;
        if !enqueued.differing.is_empty() {
            job_request::tell_of_differing(enqueued.job_id, &enqueued.differing);
        }
        if enqueued.state.is_runnable() {
            announce_work();
        } else {
            job_request::tell_of_paused(enqueued.job_id);
        }
        Ok(enqueued.job_id)
    })
}

#[pg_extern(sql = false)]
fn vb_wait(job_id: Option<i64>, timeout: Option<Interval>) -> &'static str {
    respond(|| {
        let job_id = required(job_id, "job_id")?;
        let timeout = timeout.map(duration).transpose()?;
        Ok(wait::wait(&Installation::require()?, job_id, timeout)?.as_str())
    })
}

#[pg_extern(sql = false)]
fn vb_pause(job_id: Option<i64>) -> &'static str {
    respond(|| {
        let state = job_control::pause(&on_primary()?, required(job_id, "job_id")?)?;
        presence::announce_change()?;
        Ok(state.as_str())
    })
}

#[pg_extern(sql = false)]
fn vb_resume(job_id: Option<i64>) -> &'static str {
    respond(|| {
        let state = job_control::resume(&on_primary()?, required(job_id, "job_id")?)?;
        announce_work();
        Ok(state.as_str())
    })
}

#[pg_extern(sql = false)]
fn vb_cancel(job_id: Option<i64>) -> &'static str {
    respond(|| {
        let state = job_control::cancel(&on_primary()?, required(job_id, "job_id")?)?;
        presence::announce_change()?;
        Ok(state.as_str())
    })
}

#[pg_extern(sql = false)]
fn vb_retry_failed(job_id: Option<i64>, record_ids: Option<Vec<Option<String>>>) -> i64 {
    respond(|| {
        let record_ids = record_ids
            .map(|ids| {
                ids.into_iter()
                    .map(|id| required(id, "an element of record_ids"))
                    .collect()
            })
            .transpose()?;
        let records = job_control::retry_failed(&on_primary()?, required(job_id, "job_id")?, record_ids)?;
        if records > 0 {
            announce_work();
        }
        Ok(records)
    })
}

#[pg_extern(sql = false)]
fn vb_forget(job_id: Option<i64>) -> bool {
    respond(|| job_control::forget(&on_primary()?, required(job_id, "job_id")?))
}

#[pg_extern(sql = false)]
fn vb_set_job(job_id: Option<i64>, priority: Option<i32>, batch_size: Option<i32>, concurrency: Option<i32>) {
    respond(|| {
        let job_id = required(job_id, "job_id")?;
        job_control::set(&on_primary()?, job_id, priority, batch_size, concurrency)?;
        presence::announce_change()
    })
}

#[pg_extern(sql = false)]
fn vb_set_job_limits(job_id: Option<i64>, max_tokens: Option<i64>, max_cost: Option<AnyNumeric>) {
    respond(|| {
        let limits = SpendingLimits {
            tokens: max_tokens,
            cost: max_cost,
        };
        job_control::set_limits(&on_primary()?, required(job_id, "job_id")?, &limits)
    })
}

#[pg_extern(sql = false)]
fn vb_set_client_limits(
    client_id: Option<i64>,
    max_tokens_per_day: Option<i64>,
    max_cost_per_day: Option<AnyNumeric>,
    max_records_per_second: Option<i32>,
    max_jobs: Option<i32>,
    max_records_per_day: Option<i64>,
    max_collections: Option<i32>,
) {
    respond(|| {
        let limits = ClientLimits {
            spending: SpendingLimits {
                tokens: max_tokens_per_day,
                cost: max_cost_per_day,
            },
            records_per_second: max_records_per_second,
            jobs: max_jobs,
            records_per_day: max_records_per_day,
            collections: max_collections,
        };
        let has_woken = spending::set_client_limits(&on_primary()?, required(client_id, "client_id")?, &limits)?;
        if has_woken {
            announce_work();
        }
        Ok(())
    })
}

/// A time to wait: months count 30 days.
fn duration(timeout: Interval) -> Result<Duration> {
    u64::try_from(timeout.as_micros())
        .map(Duration::from_micros)
        .map_err(|_| VbError::invalid("timeout must not be negative").hint("Leave it out to wait for ever."))
}
