//! Another look at the source of a job that has done everything it knew of: go on, or be completed.

use std::sync::Arc;

use super::active_job::{ActiveJob, Points};
use super::look::{self, Found, Surroundings};
use crate::catalog::collections::{self, Stage};
use crate::catalog::installation::Installation;
use crate::catalog::jobs;
use crate::error::Result;
use crate::source::work_list::Comparison;

/// What another look at the source of an active job led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Swept {
    /// There is more to do.
    More,
    /// Nothing is left to do if the store has what the references name, which nobody has asked it yet.
    Unproved,
    /// Nothing is left, and the job is completed.
    Done,
    /// The source is not what it was when the job became active: it has to become active anew.
    Changed,
}

/// Looks at the source of an active job again.
pub(crate) fn sweep(
    installation: &Installation,
    surroundings: &Surroundings<'_>,
    active: &mut ActiveJob,
) -> Result<Swept> {
    let context = Arc::clone(&active.context);
    let Found { work_list, gone } = look::look(
        installation,
        surroundings,
        &context.source,
        &context.job,
        &context.scope(),
        &active.waiting_records(),
    )?;
    // Looked at last, since a look at the rows takes its time.
    if !look::is_unchanged(installation, &context) {
        return Ok(Swept::Changed);
    }
    // A pass that compares keys only always finds work; it is done when the pass before it changed nothing.
    let nothing_needed = work_list.needed == 0 || (context.comparison == Comparison::Keys && !active.moved);
    active.moved = false;
    let done = nothing_needed && gone.is_empty();
    if done && work_list.references > 0 && active.points == Points::Recorded {
        return Ok(Swept::Unproved);
    }
    // A pass over keys does not know how many rows have no text; the batches before it do.
    if !done || context.comparison == Comparison::Texts {
        jobs::recount(installation, context.job.id, work_list.needed, work_list.without_text)?;
    }
    if done && jobs::complete(installation, context.job.id)? && context.collection.stage == Stage::Building {
        collections::switch(installation, context.owner(), &context.collection, context.job.id)?;
    }
    active.load(work_list, gone);
    Ok(if done { Swept::Done } else { Swept::More })
}
