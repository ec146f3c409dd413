//! What happens to records that their client may not embed today.

use vb_engine::batch::Record;

use super::active_job::JobContext;
use crate::catalog::installation::Installation;
use crate::catalog::job_state::JobEvent;
use crate::catalog::jobs;
use crate::catalog::spending::{self, AFTER_MIDNIGHT};
use crate::error::Result;

/// What a client waits for that may embed no more records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// Its batches in flight may embed fewer than they have.
    ForBatches,
    /// The next day: its job is paused until then.
    ForTomorrow,
}

/// Moves records that the client may not embed today to the rest. Without any left the job is paused until tomorrow, unless
/// those in flight may leave some.
pub(super) fn leave_to_other_days(
    installation: &Installation,
    context: &JobContext,
    records: &mut Vec<Record>,
    rest: &mut Vec<String>,
    (in_flight, is_busy): (usize, bool),
) -> Result<Option<Held>> {
    let client = context.job.client_id;
    if records.is_empty() || spending::records_left(installation, client)?.is_none() {
        return Ok(None);
    }
    // Nobody changes the limit from here on.
    spending::lock_client(installation, client)?;
    let Some(today) = spending::records_left(installation, client)? else {
        return Ok(None);
    };
    let room = usize::try_from(today.left).unwrap_or(0).saturating_sub(in_flight);
    if records.len() <= room {
        return Ok(None);
    }
    let excess = records.split_off(room).into_iter().map(|record| record.record_id);
    rest.splice(0..0, excess);
    if room > 0 {
        return Ok(None);
    }
    if is_busy {
        return Ok(Some(Held::ForBatches));
    }
    let reason = format!(
        "client {client} on {} (UTC) has embedded the {} records that it may embed in a day. It goes on with the next day, or \
         when vb_set_client_limits({client}, …) raises that.",
        today.date, today.most
    );
    let (job, until) = (context.job.id, today.renewed_in + AFTER_MIDNIGHT);
    jobs::stop(installation, job, JobEvent::Pause, &reason, Some(until))?;
    Ok(Some(Held::ForTomorrow))
}
