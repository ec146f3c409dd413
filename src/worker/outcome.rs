//! What follows from the outcome of a batch: record it, repeat it, or stop its job.

use std::time::{Duration, Instant};

use vb_engine::batch::{BatchResult, Failure, FailureClass, Outcome};
use vb_engine::policy::backoff;

use super::active_job::{ActiveJob, Again};
use super::commit::{self, Done};
use super::dispatch::InFlight;
use crate::catalog::batches;
use crate::catalog::installation::Installation;
use crate::catalog::job_state::JobEvent;
use crate::catalog::jobs;
use crate::error::Result;

/// The first pause before a batch is repeated.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause before a batch is repeated.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Writes down what became of a batch. The job may have been stopped meanwhile (`active` is `None`): what the store
/// holds is recorded all the same.
pub(crate) fn record(
    installation: &Installation,
    outcome: &Outcome,
    in_flight: &InFlight,
    active: Option<&ActiveJob>,
) -> Result<()> {
    match &outcome.result {
        BatchResult::Done {
            embedded,
            failed,
            deleted: _,
        } => {
            let records = (embedded.len() + failed.len()) as u64;
            let records_per_second = active.map(|active| active.rate.with(Instant::now(), records));
            let done = Done {
                embedded,
                failed,
                spent: outcome.spent,
                records_per_second,
            };
            commit::record(installation, outcome.batch_id, in_flight, &done)
        }
        BatchResult::Cancelled => batches::end(installation, outcome.batch_id),
        BatchResult::Failed(failure) => {
            batches::end(installation, outcome.batch_id)?;
            if stops_job(failure, in_flight) {
                jobs::stop(
                    installation,
                    in_flight.context.job.id,
                    JobEvent::Pause,
                    &failure.message,
                )?;
            }
            Ok(())
        }
    }
}

/// Whether the failure of a batch pauses its job: somebody has to act, or repeating did not help.
pub(crate) fn stops_job(failure: &Failure, in_flight: &InFlight) -> bool {
    match failure.class {
        FailureClass::Configuration => true,
        FailureClass::Throttled => false,
        FailureClass::Transient | FailureClass::Record => in_flight.attempt > in_flight.context.job.max_retries,
    }
}

/// What a recorded outcome means for its job, which is still active: it moved on, or gets back the work of a batch that
/// gave nothing.
pub(crate) fn settle(active: &mut ActiveJob, outcome: &Outcome, in_flight: InFlight, chance: f64) {
    let (attempt, pause) = match &outcome.result {
        BatchResult::Done { embedded, failed, .. } => {
            active.moved |= !embedded.is_empty();
            active.rate.add(Instant::now(), (embedded.len() + failed.len()) as u64);
            return;
        }
        BatchResult::Cancelled => (in_flight.attempt, Duration::ZERO),
        BatchResult::Failed(failure) => {
            // Being throttled costs no attempt.
            let attempt = in_flight.attempt + i32::from(failure.class != FailureClass::Throttled);
            let nth = u32::try_from(in_flight.attempt).unwrap_or(1);
            (attempt, backoff::delay(nth, FIRST_PAUSE, LONGEST_PAUSE, chance))
        }
    };
    active.gone.extend(in_flight.gone);
    if !in_flight.record_ids.is_empty() {
        active.again.push(Again {
            record_ids: in_flight.record_ids,
            attempt,
            not_before: Instant::now() + pause,
            batch_id: None,
            suspect: in_flight.suspect,
        });
    }
}
