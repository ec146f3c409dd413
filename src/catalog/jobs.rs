//! Jobs as the worker sees them: which may run, what it does with them, how far they are.

use std::time::Duration;

use pgrx::pg_sys::Oid;

use super::hours::Closed;
use super::installation::Installation;
use super::job_state::{JobEvent, JobState};
use crate::error::Result;
use crate::pg::spi::{self, Row};

/// What a job looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobKind {
    /// All of a client's rows.
    Backfill,
    /// Rows that have changed.
    Sync,
}

/// A job that may run.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// Its identity.
    pub(crate) id: i64,
    /// Whose rows.
    pub(crate) client_id: i64,
    /// Of which table.
    pub(crate) source: Oid,
    /// Its name when the job was enqueued.
    pub(crate) source_name: String,
    /// Which text.
    pub(crate) vector_type: String,
    /// What the user wants of a provider.
    pub(crate) preference: String,
    /// The provider the user named.
    pub(crate) requested_provider: Option<String>,
    /// The batch size the user named.
    pub(crate) requested_batch_size: Option<i32>,
    /// How often a batch may fail for passing reasons.
    pub(crate) max_retries: i32,
    /// 1 to 100, higher first.
    pub(crate) priority: i32,
    /// Whether it builds a collection anew beside the one that serves.
    pub(crate) reembed: bool,
    /// What it looks at.
    pub(crate) kind: JobKind,
    /// Who asked for it.
    pub(crate) asked_by: Oid,
    /// The role whose rights count on the source; the same unless that is a superuser, which is seen to when the job
    /// becomes active.
    pub(crate) role: Oid,
}

impl Job {
    /// Whether another job is about the same vectors.
    pub(crate) fn is_about_the_same(&self, other: &Self) -> bool {
        (self.client_id, self.source, &self.vector_type) == (other.client_id, other.source, &other.vector_type)
    }
}

/// Jobs that may run and are not active yet: each client's best first, at most `per_client` of one client.
pub(crate) fn runnable(
    installation: &Installation,
    active: &[i64],
    per_client: i64,
    limit: i64,
    closed: &Closed,
) -> Result<Vec<Job>> {
    spi::read(
        &installation.sql(include_str!("../../sql/query/jobs_runnable.sql")),
        &[
            active.to_vec().into(),
            per_client.into(),
            limit.into(),
            closed.everybody.into(),
            closed.clients.clone().into(),
        ],
        of_row,
    )
}

/// Jobs of changes that may run and are not active yet, at most so many: those first that have waited longest.
pub(crate) fn waiting_for_changes(installation: &Installation, active: &[i64], limit: i64) -> Result<Vec<Job>> {
    spi::read(
        &installation.sql(include_str!("../../sql/query/sync_jobs_waiting.sql")),
        &[active.to_vec().into(), limit.into()],
        of_row,
    )
}

fn of_row(row: &Row<'_>) -> Result<Job> {
    Ok(Job {
        id: row.get(1)?,
        client_id: row.get(2)?,
        source: row.get(3)?,
        vector_type: row.get(4)?,
        preference: row.get(5)?,
        requested_provider: row.optional(6)?,
        requested_batch_size: row.optional(7)?,
        max_retries: row.get(8)?,
        priority: row.get(9)?,
        reembed: row.get(10)?,
        asked_by: row.get(11)?,
        role: row.get(11)?,
        source_name: row.get(12)?,
        kind: match row.get::<String>(13)?.as_str() {
            "sync" => JobKind::Sync,
            _ => JobKind::Backfill,
        },
    })
}

/// Opens jobs of changes for these clients, sources and vector types, where there are none.
pub(crate) fn open_for_changes(installation: &Installation, owners: &[(i64, Oid, String)]) -> Result<()> {
    if owners.is_empty() {
        return Ok(());
    }
    let each = owners.iter();
    spi::run(
        &installation.sql(include_str!("../../sql/query/sync_jobs_open.sql")),
        &[
            each.clone().map(|owner| owner.0).collect::<Vec<_>>().into(),
            each.clone().map(|owner| owner.1).collect::<Vec<_>>().into(),
            each.map(|owner| owner.2.clone()).collect::<Vec<_>>().into(),
        ],
    )
    .map(|_| ())
}

/// What users may change of a job while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The job.
    pub(crate) id: i64,
    /// Where it is.
    pub(crate) state: JobState,
    /// Higher goes first.
    pub(crate) priority: i32,
    /// Records a batch; `None` before it has begun, by the rules.
    pub(crate) batch_size: Option<i32>,
    /// Batches at a time; `None` for as many as there is room for.
    pub(crate) concurrency: Option<i32>,
}

/// How these jobs stand; those that are gone are missing.
pub(crate) fn standings(installation: &Installation, jobs: &[i64]) -> Result<Vec<Standing>> {
    spi::read(
        &installation.sql(include_str!("../../sql/query/job_standings.sql")),
        &[jobs.to_vec().into()],
        |row| {
            Ok(Standing {
                id: row.get(1)?,
                state: row.get::<String>(2)?.parse()?,
                priority: row.get(3)?,
                batch_size: row.optional(4)?,
                concurrency: row.optional(5)?,
            })
        },
    )
}

/// What a job starts with.
#[derive(Debug)]
pub(crate) struct Start<'a> {
    /// Name of the provider.
    pub(crate) provider: &'a str,
    /// Its model.
    pub(crate) model: &'a str,
    /// Why this one.
    pub(crate) reason: &'a str,
    /// Records a batch.
    pub(crate) batch_size: i32,
    /// Records that need work.
    pub(crate) needed: u64,
    /// Rows without text, where all were looked at.
    pub(crate) without_text: Option<u64>,
}

/// Locks the job's row for the rest of the transaction; its state, `None` when the job is gone. Whoever writes more of a
/// job than this row locks it first, so that nobody waits for another in a circle.
pub(crate) fn lock(installation: &Installation, job: i64) -> Result<Option<JobState>> {
    spi::first(
        &installation.sql(include_str!("../../sql/query/job_lock.sql")),
        &[job.into()],
        |row| row.get::<String>(1)?.parse::<JobState>(),
    )
}

/// Locks the job's row, or fails at once when somebody else has it locked.
pub(crate) fn lock_at_once(installation: &Installation, job: i64) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/job_lock_at_once.sql")),
        &[job.into()],
    )
    .map(|_| ())
}

/// Locks the job's row and says where an event leads it; `None` when the job is gone or somebody decided otherwise.
fn next_state(installation: &Installation, job: i64, event: JobEvent) -> Result<Option<JobState>> {
    let state = lock(installation, job)?;
    Ok(state.and_then(|state| state.after(event).ok()))
}

/// How many of its records were set aside.
pub(crate) fn failed(installation: &Installation, job: i64) -> Result<i64> {
    let statement = installation.sql(include_str!("../../sql/query/job_failed.sql"));
    Ok(spi::first(&statement, &[job.into()], |row| row.get(1))?.unwrap_or(0))
}

/// Counts from the beginning.
pub(crate) fn begin_anew(installation: &Installation, job: i64) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/job_begin_anew.sql")),
        &[job.into()],
    )
    .map(|_| ())
}

/// Marks a job as running; false when somebody stopped it meanwhile.
pub(crate) fn start(installation: &Installation, job: i64, start: &Start<'_>) -> Result<bool> {
    let Some(state) = next_state(installation, job, JobEvent::Start)? else {
        return Ok(false);
    };
    spi::run(
        &installation.sql(include_str!("../../sql/query/job_start.sql")),
        &[
            job.into(),
            start.provider.into(),
            start.model.into(),
            start.reason.into(),
            start.batch_size.into(),
            (start.needed as i64).into(),
            start.without_text.map(|rows| rows as i64).into(),
            state.as_str().into(),
        ],
    )?;
    Ok(true)
}

/// Sets the total anew after another pass over the source.
pub(crate) fn recount(installation: &Installation, job: i64, needed: u64, without_text: u64) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/job_recount.sql")),
        &[job.into(), (needed as i64).into(), (without_text as i64).into()],
    )
    .map(|_| ())
}

/// How far a job came with one transaction.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Advance<'a> {
    /// Records embedded, or given other payload columns.
    pub(crate) successful: i64,
    /// Records set aside; negative when some were resolved.
    pub(crate) failed: i64,
    /// Records that turned out to have no text.
    pub(crate) skipped: i64,
    /// References removed because their row is gone.
    pub(crate) removed: i64,
    /// Records whose text was longer than the model's window.
    pub(crate) truncated: i64,
    /// Tokens the provider saw.
    pub(crate) tokens: i64,
    /// Present speed, when it is known.
    pub(crate) records_per_second: Option<f32>,
    /// Batches ended.
    pub(crate) batches: i32,
    /// Records that turned out to need no work.
    pub(crate) unneeded: i64,
    /// The provider that saw the tokens: they cost what it takes.
    pub(crate) provider: Option<&'a str>,
}

/// Moves a job's counters.
pub(crate) fn advance(installation: &Installation, job: i64, advance: &Advance<'_>) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/job_advance.sql")),
        &[
            job.into(),
            advance.successful.into(),
            advance.failed.into(),
            advance.skipped.into(),
            advance.removed.into(),
            advance.truncated.into(),
            advance.tokens.into(),
            advance.records_per_second.into(),
            advance.batches.into(),
            advance.unneeded.into(),
            advance.provider.into(),
        ],
    )
    .map(|_| ())
}

/// Marks a running job as completed; false when somebody decided otherwise.
pub(crate) fn complete(installation: &Installation, job: i64) -> Result<bool> {
    let Some(state) = next_state(installation, job, JobEvent::Complete)? else {
        return Ok(false);
    };
    spi::run(
        &installation.sql(include_str!("../../sql/query/job_complete.sql")),
        &[job.into(), state.as_str().into()],
    )?;
    Ok(true)
}

/// Stops a job that cannot go on, unless somebody stopped it already: a pause when somebody can change the reason, a
/// failure when nobody can. A pause may end by itself.
pub(crate) fn stop(
    installation: &Installation,
    job: i64,
    event: JobEvent,
    reason: &str,
    resumed_in: Option<Duration>,
) -> Result<()> {
    let locked = spi::first(
        &installation.sql(include_str!("../../sql/query/job_lock.sql")),
        &[job.into()],
        |row| Ok((row.get::<String>(1)?.parse::<JobState>()?, row.get::<bool>(8)?)),
    )?;
    let Some((present, follows_changes)) = locked else {
        return Ok(());
    };
    // Changes go on to be noted: whatever is wrong may be put right.
    let event = if follows_changes { JobEvent::Pause } else { event };
    let (true, Ok(state)) = (present.is_runnable(), present.after(event)) else {
        return Ok(());
    };
    spi::run(
        &installation.sql(include_str!("../../sql/query/job_stop.sql")),
        &[
            job.into(),
            state.as_str().into(),
            reason.into(),
            resumed_in.map(|pause| pause.as_secs_f64()).into(),
        ],
    )
    .map(|_| ())
}

/// Lets those paused jobs go on whose time has come.
pub(crate) fn wake(installation: &Installation) -> Result<()> {
    let waking: Vec<i64> = spi::rows(
        &installation.sql(include_str!("../../sql/query/jobs_waking.sql")),
        &[],
        |row| row.get(1),
    )?;
    for job in waking {
        if let Some(state) = next_state(installation, job, JobEvent::Resume)? {
            spi::run(
                &installation.sql(include_str!("../../sql/query/job_go_on.sql")),
                &[job.into(), state.as_str().into()],
            )?;
        }
    }
    Ok(())
}

/// Says what keeps a running job waiting.
pub(crate) fn note(installation: &Installation, job: i64, reason: &str) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/job_note.sql")),
        &[job.into(), reason.into()],
    )
    .map(|_| ())
}

/// Lets a job try again later: after the first of these pauses when it was well before, after up to the longest when it
/// was postponed again and again.
pub(crate) fn postpone(
    installation: &Installation,
    job: i64,
    reason: &str,
    first: Duration,
    longest: Duration,
) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/job_postpone.sql")),
        &[
            job.into(),
            reason.into(),
            first.as_secs_f64().into(),
            longest.as_secs_f64().into(),
        ],
    )
    .map(|_| ())
}

/// Deletes jobs that ended long ago.
pub(crate) fn retire(installation: &Installation, retention: Duration) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/jobs_retire.sql")),
        &[retention.as_secs_f64().into()],
    )
    .map(|_| ())
}
