//! Waiting for a job.
//!
//! The statement that waits keeps its snapshot, as every statement does: who waits for hours holds back vacuum for
//! hours. `vb_run_backfill` waits a second at a time and commits in between.

use std::time::{Duration, Instant};

use pgrx::pg_sys::TransactionId;

use super::{presence, snapshots};
use crate::catalog::access::{self, Level};
use crate::catalog::installation::Installation;
use crate::catalog::job_control;
use crate::catalog::job_state::JobState;
use crate::error::{Result, VbError};
use crate::pg::{latch, notice, process, role, signal, spi, transaction};

/// Time between two looks at the job: short at first, for jobs that are soon done.
const FIRST_STEP: Duration = Duration::from_millis(50);
const LAST_STEP: Duration = Duration::from_millis(250);

/// How often it is made sure that a worker is there for a job that needs one.
const WORKER_STEP: Duration = Duration::from_secs(5);

/// Waits until the job has ended or is paused, when nothing moves for the moment, or the time is over. Returns its state.
pub(crate) fn wait(installation: &Installation, job_id: i64, timeout: Option<Duration>) -> Result<JobState> {
    snapshots::require_moving("wait for a job: it would never see the end")?;
    // A time beyond what the clock can say is no limit.
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut step = FIRST_STEP;
    let mut worker = WorkerWatch::default();
    loop {
        let state = look(installation, job_id)?;
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if !state.is_runnable() || left.is_some_and(|left| left.is_zero()) {
            return Ok(state);
        }
        worker.ensure();
        latch::wait(None, left.map_or(step, |left| left.min(step)));
        signal::check_interrupts();
        step = (step * 2).min(LAST_STEP);
    }
}

/// The state of a job that others can change.
fn look(installation: &Installation, job_id: i64) -> Result<JobState> {
    let statement = installation.sql(include_str!("../../../sql/query/job_watch.sql"));
    let found = role::as_owner(installation.owner, || {
        spi::read_first(&statement, &[job_id.into()], |row| {
            let state = row.get::<String>(1)?.parse::<JobState>()?;
            Ok((state, row.get::<TransactionId>(2)?, row.get::<i64>(3)?))
        })
    })?;
    // Nobody is told of jobs of others.
    let (state, writer, client_id) = found.ok_or_else(|| job_control::unknown(job_id))?;
    if !access::has(installation, role::current(), client_id, Level::Read)? {
        return Err(job_control::unknown(job_id));
    }
    if state.is_runnable() && transaction::is_current(writer) {
        return Err(VbError::wrong_state(format!(
            "job {job_id} was enqueued or changed by this transaction, so no worker can see it yet"
        ))
        .hint("COMMIT first, then wait; or CALL vb_run_backfill, which does both."));
    }
    Ok(state)
}

/// Starts a worker when the job has none; says once when that is not possible.
#[derive(Default)]
struct WorkerWatch {
    next: Option<Instant>,
    warned: bool,
}

impl WorkerWatch {
    fn ensure(&mut self) {
        let now = Instant::now();
        if self.next.is_some_and(|next| now < next) || process::is_in_recovery() {
            return;
        }
        self.next = Some(now + WORKER_STEP);
        if let Err(error) = presence::ensure()
            && !self.warned
        {
            self.warned = true;
            notice::warn(error);
        }
    }
}
