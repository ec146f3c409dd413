//! What users do with a job that is there: pause, resume, cancel, change, retry, forget.
//!
//! Only those who may write what its client has can do so; for others there is no such job. Each locks the job's row first, so
//! that it sees what the worker has committed and the worker sees what it decides.

use pgrx::pg_sys::Oid;
use serde_json::{Value, json};

use super::access::{self, Level};
use super::audit::Deed;
use super::changes;
use super::installation::Installation;
use super::job_request::{self, check_priority, check_range};
use super::job_state::{JobEvent, JobState};
use super::references::Owner;
use super::spending::SpendingLimits;
use crate::error::{Result, VbError};
use crate::pg::{role, spi};

/// What a locked row says.
struct LockedJob {
    state: JobState,
    client_id: i64,
    source: Oid,
    source_name: String,
    vector_type: String,
    reembed: bool,
    is_sync: bool,
    /// Whether its pause ends by itself.
    wakes: bool,
}

impl LockedJob {
    fn note(&self, installation: &Installation, by: Oid, action: &str, job_id: i64, detail: Value) -> Result<()> {
        Deed::new(action)
            .by(by)
            .client(self.client_id)
            .job(job_id)
            .subject(&self.source_name)
            .detail(detail)
            .note(installation)
    }
}

/// Stops a job for now; returns its new state.
pub(crate) fn pause(installation: &Installation, job_id: i64) -> Result<JobState> {
    change(installation, job_id, JobEvent::Pause, role::current())
}

/// Ends a job; returns its new state.
pub(crate) fn cancel(installation: &Installation, job_id: i64) -> Result<JobState> {
    let caller = role::current();
    role::as_owner(installation.owner, || {
        let job = require(installation, job_id, caller)?;
        if job.is_sync && !job.state.has_ended() {
            return Err(VbError::wrong_state(format!(
                "job {job_id} keeps vectors of {} in step, which is not cancelled for one client",
                job.source_name
            ))
            .hint(format!(
                "select vb_pause({job_id}) holds it up; select vb_disable_sync('{}') ends it for all clients.",
                job.source_name
            )));
        }
        Ok(())
    })?;
    change(installation, job_id, JobEvent::Cancel, caller)
}

/// Ends the jobs of changes to a source for these vector types, or for all of them. To be called as the owner of the extension.
pub(crate) fn end_sync_jobs(installation: &Installation, source: Oid, vector_types: Option<&[String]>) -> Result<()> {
    let jobs: Vec<i64> = spi::read(
        &installation.sql(include_str!("../../sql/query/sync_jobs_of_source.sql")),
        &[source.into(), vector_types.map(<[String]>::to_vec).into()],
        |row| row.get(1),
    )?;
    jobs.into_iter().try_for_each(|job_id| {
        let job = require(installation, job_id, installation.owner)?;
        let next = job
            .state
            .after(JobEvent::Cancel)
            .map_err(|refusal| refusal.of_job(job_id))?;
        set_state(installation, job_id, next)
    })
}

/// Lets a job go on at once; returns its new state. One that waits for its next attempt waits no longer.
pub(crate) fn resume(installation: &Installation, job_id: i64) -> Result<JobState> {
    let caller = role::current();
    role::as_owner(installation.owner, || {
        let job = require(installation, job_id, caller)?;
        let next = job
            .state
            .after(JobEvent::Resume)
            .map_err(|refusal| refusal.of_job(job_id))?;
        go_on(installation, job_id, next)?;
        job.note(installation, caller, JobEvent::Resume.verb(), job_id, json!({}))?;
        Ok(next)
    })
}

/// Says anew how much a job may spend.
pub(crate) fn set_limits(installation: &Installation, job_id: i64, limits: &SpendingLimits) -> Result<()> {
    limits.check_job()?;
    let caller = role::current();
    role::as_owner(installation.owner, || {
        let job = require(installation, job_id, caller)?;
        if job.state.has_ended() {
            return Err(
                VbError::wrong_state(format!("job {job_id} is {} and spends nothing any more", job.state))
                    .hint("Give limits to the next job, or to its client with vb_set_client_limits."),
            );
        }
        spi::run(
            &installation.sql(include_str!("../../sql/query/job_limits_set.sql")),
            &[job_id.into(), limits.tokens.into(), limits.cost.clone().into()],
        )?;
        let detail = json!({ "max_tokens": limits.tokens, "max_cost": limits.cost.as_ref().map(ToString::to_string) });
        job.note(installation, caller, "set_limits", job_id, detail)
    })
}

/// Changes how a job is done that has not ended; `None` keeps a value.
pub(crate) fn set(
    installation: &Installation,
    job_id: i64,
    priority: Option<i32>,
    batch_size: Option<i32>,
    concurrency: Option<i32>,
) -> Result<()> {
    check_priority(installation, priority)?;
    check_range("batch_size", batch_size, 1, 10_000)?;
    check_range("concurrency", concurrency, 0, 64)?;
    let caller = role::current();
    role::as_owner(installation.owner, || {
        let job = require(installation, job_id, caller)?;
        if job.state.has_ended() && !job.is_sync {
            return Err(
                VbError::wrong_state(format!("job {job_id} is {} and cannot be changed", job.state))
                    .hint("Say it of the next job, when it is enqueued."),
            );
        }
        spi::run(
            &installation.sql(include_str!("../../sql/query/job_set.sql")),
            &[job_id.into(), priority.into(), batch_size.into(), concurrency.into()],
        )?;
        let detail = json!({ "priority": priority, "batch_size": batch_size, "concurrency": concurrency });
        job.note(installation, caller, "set", job_id, detail)
    })
}

/// Puts the failed records of a job back to work, all or these; returns how many there were. Without any, nothing changes.
pub(crate) fn retry_failed(installation: &Installation, job_id: i64, record_ids: Option<Vec<String>>) -> Result<i64> {
    let caller = role::current();
    role::as_owner(installation.owner, || {
        let job = require(installation, job_id, caller)?;
        let next = job
            .state
            .after(JobEvent::Retry)
            .map_err(|refusal| refusal.of_job(job_id))?;
        if job.state.has_ended() && !job.is_sync {
            require_no_other(installation, job_id, &job)?;
        }
        if job.is_sync {
            changes::add_failed(installation, job_id, record_ids.clone())?;
        }
        let records = spi::run(
            &installation.sql(include_str!("../../sql/query/job_drop_errors.sql")),
            &[job_id.into(), record_ids.into()],
        )? as i64;
        if records > 0 {
            spi::run(
                &installation.sql(include_str!("../../sql/query/job_uncount_failed.sql")),
                &[job_id.into(), records.into()],
            )?;
            go_on_unless_paused(installation, job_id, next)?;
            job.note(
                installation,
                caller,
                JobEvent::Retry.verb(),
                job_id,
                json!({ "records": records }),
            )?;
        }
        Ok(records)
    })
}

/// Deletes an ended job with its errors; false when there is none with this id.
pub(crate) fn forget(installation: &Installation, job_id: i64) -> Result<bool> {
    let caller = role::current();
    role::as_owner(installation.owner, || {
        let Some(job) = lock(installation, job_id, caller)? else {
            return Ok(false);
        };
        job.state
            .after(JobEvent::Forget)
            .map_err(|refusal| refusal.of_job(job_id))?;
        let deleted = spi::run(
            &installation.sql(include_str!("../../sql/query/job_delete.sql")),
            &[job_id.into()],
        )?;
        if deleted == 0 {
            return Err(
                VbError::wrong_state(format!("job {job_id} has ended, but not all of its batches have"))
                    .hint("They end by themselves: try again in a moment."),
            );
        }
        job.note(installation, caller, JobEvent::Forget.verb(), job_id, json!({}))?;
        Ok(true)
    })
}

/// The error for a job that does not exist.
pub(crate) fn unknown(job_id: i64) -> VbError {
    VbError::missing(format!("there is no job {job_id}"))
        .hint("select * from vb_job_status lists the jobs; ended ones go after vector_backfill.job_retention.")
}

fn change(installation: &Installation, job_id: i64, event: JobEvent, caller: Oid) -> Result<JobState> {
    role::as_owner(installation.owner, || {
        let job = require(installation, job_id, caller)?;
        let next = job.state.after(event).map_err(|refusal| refusal.of_job(job_id))?;
        if next != job.state || job.wakes {
            set_state(installation, job_id, next)?;
            job.note(installation, caller, event.verb(), job_id, json!({}))?;
        }
        Ok(next)
    })
}

fn set_state(installation: &Installation, job_id: i64, next: JobState) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/job_set_state.sql")),
        &[job_id.into(), next.as_str().into()],
    )
    .map(|_| ())
}

/// A paused job keeps the reason of its pause.
fn go_on_unless_paused(installation: &Installation, job_id: i64, next: JobState) -> Result<()> {
    if next.is_runnable() {
        go_on(installation, job_id, next)
    } else {
        Ok(())
    }
}

fn go_on(installation: &Installation, job_id: i64, next: JobState) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/job_go_on.sql")),
        &[job_id.into(), next.as_str().into()],
    )
    .map(|_| ())
}

fn require_no_other(installation: &Installation, job_id: i64, job: &LockedJob) -> Result<()> {
    let owner = Owner {
        client_id: job.client_id,
        source: job.source,
        vector_type: &job.vector_type,
    };
    let Some(other) = job_request::unfinished(installation, owner, job.reembed)? else {
        return Ok(());
    };
    Err(VbError::wrong_state(format!(
        "job {job_id} cannot be opened again while job {} for client {} and {} is {}",
        other.job_id, job.client_id, job.source_name, other.state
    ))
    .hint(format!("Job {} tries those records as well.", other.job_id)))
}

fn require(installation: &Installation, job_id: i64, caller: Oid) -> Result<LockedJob> {
    lock(installation, job_id, caller)?.ok_or_else(|| unknown(job_id))
}

/// `None` as well for a job that the caller may not control: nobody is told of jobs of others, and nobody locks them.
fn lock(installation: &Installation, job_id: i64, caller: Oid) -> Result<Option<LockedJob>> {
    let statement = installation.sql(include_str!("../../sql/query/job_client.sql"));
    let client = spi::read_first(&statement, &[job_id.into()], |row| row.get::<i64>(1))?;
    match client {
        Some(client) if access::has(installation, caller, client, Level::Write)? => {}
        _ => return Ok(None),
    }
    spi::first(
        &installation.sql(include_str!("../../sql/query/job_lock.sql")),
        &[job_id.into()],
        |row| {
            Ok(LockedJob {
                state: row.get::<String>(1)?.parse()?,
                client_id: row.get(2)?,
                source: row.get(3)?,
                source_name: row.get(4)?,
                vector_type: row.get(5)?,
                reembed: row.get(6)?,
                wakes: row.get(7)?,
                is_sync: row.get(8)?,
            })
        },
    )
}
