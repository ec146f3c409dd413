//! What follows from the outcome of a batch: record it, repeat it, or stop its job.

use std::time::{Duration, Instant};

use vb_engine::batch::{BatchResult, Failure, FailureClass, Origin, Outcome};
use vb_engine::policy::backoff;

use super::active_job::{ActiveJob, Again, Points};
use super::commit::{self, Done};
use super::dispatch::InFlight;
use crate::catalog::installation::Installation;
use crate::catalog::job_state::{JobEvent, JobState};
use crate::catalog::jobs::{self, Job};
use crate::error::Result;

/// The first pause before a batch is repeated.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The shortest pause after the provider asked for one.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// The longest pause before a batch is repeated.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The pause before it is looked again whether a batch can be paid for.
pub(super) const UNTIL_OTHERS_HAVE_SPENT: Duration = Duration::from_millis(500);

/// What follows from an outcome for its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consequence {
    /// It goes on.
    GoOn,
    /// It pauses: somebody has to act, or repeating did not help.
    Pause,
    /// It goes on with another provider of the same model.
    FailOver,
}

/// Why records of a batch are still to be done, if some are. A batch of a job that was stopped meanwhile says nothing: the
/// job may have been resumed since, by somebody who put right what the batch has met.
pub(crate) fn failure<'a>(outcome: &'a Outcome, in_flight: &InFlight) -> Option<&'a Failure> {
    if in_flight.context.cancel.is_raised() {
        return None;
    }
    match &outcome.result {
        BatchResult::Failed(failure) => Some(failure),
        BatchResult::Done { left, .. } => left.as_ref().map(|left| &left.failure),
        BatchResult::Cancelled => None,
    }
}

/// What else there is when a batch fails.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Elsewhere {
    /// Another provider that could take over.
    pub(crate) provider: bool,
    /// Other batches of the job in flight, which are paid for already.
    pub(crate) batches: bool,
}

/// Decides what follows.
pub(crate) fn consequence(failure: Option<&Failure>, in_flight: &InFlight, other: Elsewhere) -> Consequence {
    let Some(failure) = failure else {
        return Consequence::GoOn;
    };
    match failure.class {
        FailureClass::Configuration if failure.origin == Origin::Budget && other.batches => Consequence::GoOn,
        FailureClass::Configuration | FailureClass::Throttled if other.provider => Consequence::FailOver,
        FailureClass::Configuration => Consequence::Pause,
        FailureClass::Throttled => Consequence::GoOn,
        FailureClass::Transient | FailureClass::Record if is_last(in_flight.attempt, &in_flight.context.job) => {
            Consequence::Pause
        }
        FailureClass::Transient | FailureClass::Record => Consequence::GoOn,
    }
}

/// Whether an attempt is the last one of its records.
pub(crate) fn is_last(attempt: i32, job: &Job) -> bool {
    attempt > job.max_retries
}

/// Writes down what became of a batch. The job may have been stopped meanwhile (`active` is `None`): what the store
/// holds is recorded all the same.
pub(crate) fn record(
    installation: &Installation,
    outcome: &Outcome,
    in_flight: &InFlight,
    active: Option<&ActiveJob>,
    consequence: Consequence,
) -> Result<()> {
    match &outcome.result {
        BatchResult::Done {
            embedded, failed, left, ..
        } => {
            let records = (embedded.len() + in_flight.changed.len() + failed.len()) as u64;
            let records_per_second = active.map(|active| active.rate.with(Instant::now(), records));
            let done = Done {
                embedded,
                failed,
                left: left.as_ref().map_or(&[], |left| &left.record_ids),
                spent: outcome.spent,
                records_per_second,
            };
            commit::record(installation, outcome.batch_id, in_flight, &done)?;
        }
        BatchResult::Cancelled | BatchResult::Failed(_) => {
            let by_provider = |failure: &Failure| failure.origin != Origin::Other;
            let may_have_written = !matches!(&outcome.result, BatchResult::Failed(failure) if by_provider(failure));
            commit::record_failed(
                installation,
                outcome.batch_id,
                in_flight,
                outcome.spent,
                may_have_written,
            )?;
        }
    }
    let job = in_flight.context.job.id;
    match failure(outcome, in_flight) {
        Some(failure) if consequence == Consequence::Pause => {
            // Somebody has paused and resumed it since this worker looked.
            if jobs::lock(installation, job)? != Some(JobState::Running) {
                return Ok(());
            }
            // The day's budget begins anew by itself; providers only say when a request may be repeated.
            let resumed_in = failure.retry_after.filter(|_| failure.origin == Origin::Budget);
            jobs::stop(installation, job, JobEvent::Pause, &failure.message, resumed_in)
        }
        Some(failure) => jobs::note(installation, job, &failure.message),
        None => Ok(()),
    }
}

/// What a recorded outcome means for its job, which is still active: it moved on, or gets back the work of what was not
/// done.
pub(crate) fn settle(active: &mut ActiveJob, outcome: Outcome, in_flight: InFlight, chance: f64) {
    let attempt = in_flight.attempt;
    let (record_ids, failure) = match outcome.result {
        BatchResult::Done {
            embedded, failed, left, ..
        } => {
            let done = embedded.len() + in_flight.changed.len();
            active.moved |= done > 0;
            if !embedded.is_empty() {
                active.points = Points::Seen;
            }
            active.rate.add(Instant::now(), (done + failed.len()) as u64);
            let Some(left) = left else { return };
            (left.record_ids, Some(left.failure))
        }
        BatchResult::Cancelled => {
            active.gone.extend(in_flight.gone);
            (in_flight.record_ids, None)
        }
        BatchResult::Failed(failure) => {
            active.gone.extend(in_flight.gone);
            (in_flight.record_ids, Some(failure))
        }
    };
    if record_ids.is_empty() {
        return;
    }
    let (attempt, pause) = match failure {
        None => (attempt, Duration::ZERO),
        // Nor does waiting for others to spend what is set aside for them.
        Some(Failure {
            origin: Origin::Budget, ..
        }) => {
            active.rest_until(Instant::now() + UNTIL_OTHERS_HAVE_SPENT);
            (attempt, Duration::ZERO)
        }
        // Being throttled costs no attempt.
        Some(Failure {
            class: FailureClass::Throttled,
            retry_after,
            ..
        }) => {
            let pause = retry_after.unwrap_or(FIRST_PAUSE).max(SHORTEST_PAUSE);
            // What comes next would only be sent away as well.
            active.rest_until(Instant::now() + pause);
            (attempt, pause)
        }
        Some(_) => {
            let nth = u32::try_from(attempt).unwrap_or(1);
            (attempt + 1, backoff::delay(nth, FIRST_PAUSE, LONGEST_PAUSE, chance))
        }
    };
    active.again.push(Again {
        record_ids,
        attempt,
        not_before: Instant::now() + pause,
        batch_id: None,
        suspect: in_flight.suspect,
        urgency: in_flight.urgency,
    });
}
