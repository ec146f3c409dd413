//! Another look at the source of a job that has done everything it knew of: go on, or be completed.

use std::sync::Arc;

use super::active_job::{ActiveJob, JobContext, Points};
use super::look::{self, Found, Look, Looked, Surroundings};
use super::look_order::Order;
use crate::catalog::changes;
use crate::catalog::collections::{self, Stage};
use crate::catalog::installation::Installation;
use crate::catalog::jobs;
use crate::error::Result;
use crate::source::work_list::{Comparison, WorkList};

/// Records that may be left to changes, at most.
const MOST_LEFT: usize = 10_000;

/// What another look at the source of an active job led to.
#[derive(Debug)]
pub(crate) enum Swept {
    /// There is more to do.
    More,
    /// A look may take long.
    TakesLong(Box<Order>),
    /// Nothing is left to do if the store has what the references name, which nobody has asked it yet.
    Unproved,
    /// Nothing is left, and the job is completed.
    Done,
    /// Nothing is left of what a job that follows changes was to look at all together; it goes on to follow them.
    CaughtUp,
    /// The source is not what it was when the job became active: it has to become active anew.
    Changed,
}

/// Looks at the source of an active job again; where changes are followed, for the one with this number.
pub(crate) fn sweep(
    installation: &Installation,
    surroundings: &Surroundings<'_>,
    active: &mut ActiveJob,
    everything: Option<i64>,
    look: Look,
) -> Result<Swept> {
    let context = Arc::clone(&active.context);
    let (scope, skip) = (context.scope(), active.waiting_records());
    let asked_by = context.job.asked_by;
    let looked = look.make(installation, surroundings, &context.source, &scope, asked_by, &skip)?;
    let Found {
        mut work_list,
        mut gone,
        failed,
    } = match looked {
        Looked::Found(found) => found,
        Looked::TakesLong(order) => return Ok(Swept::TakesLong(order)),
    };
    // Looked at last, since a look at the rows takes its time.
    if !look::is_unchanged(installation, &context) {
        return Ok(Swept::Changed);
    }
    leave_to_changes(installation, &context, &mut work_list, &mut gone)?;
    // A pass that compares keys only always finds work; it is done when the pass before it changed nothing.
    let has_passed = active
        .following
        .as_ref()
        .is_none_or(|following| following.passed == everything);
    let nothing_needed =
        work_list.needed == 0 || (context.comparison == Comparison::Keys && !active.moved && has_passed);
    active.moved = false;
    let done = nothing_needed && gone.is_empty();
    if done && work_list.references > 0 && active.points == Points::Recorded {
        return Ok(Swept::Unproved);
    }
    if let Some(following) = &mut active.following {
        if done {
            if let Some(number) = everything {
                changes::settle_everything(installation, context.owner(), number)?;
            }
            following.everything = changes::of_owner(installation, context.owner(), 1)?.everything;
        }
        following.passed = everything;
        if done {
            active.begin_sweeps_anew();
            return Ok(Swept::CaughtUp);
        }
        active.load(work_list, gone);
        return Ok(Swept::More);
    }
    // A pass over keys does not know how many rows have no text; the batches before it do.
    if !done || context.comparison == Comparison::Texts {
        jobs::recount(installation, context.job.id, work_list.needed, work_list.without_text)?;
    }
    if done {
        // Somebody may have had those tried again that were set aside when the look began.
        jobs::lock(installation, context.job.id)?;
        if jobs::failed(installation, context.job.id)? < failed {
            return Ok(Swept::Changed);
        }
    }
    if done && jobs::complete(installation, context.job.id)? && context.collection.stage == Stage::Building {
        collections::switch(installation, context.owner(), &context.collection, context.job.id)?;
    }
    active.load(work_list, gone);
    Ok(if done { Swept::Done } else { Swept::More })
}

/// Records whose change is known are not found once more: they are looked at one by one, however often they change. A source
/// that never stands still could not be completed otherwise.
fn leave_to_changes(
    installation: &Installation,
    context: &JobContext,
    work_list: &mut WorkList,
    gone: &mut Vec<String>,
) -> Result<()> {
    // Many records are not all just changed.
    if work_list.needed as usize + gone.len() > MOST_LEFT {
        return Ok(());
    }
    let asked = work_list.record_ids.iter().chain(gone.iter()).cloned().collect();
    let unseen = changes::unseen(installation, context.owner(), asked)?;
    if unseen.is_empty() {
        return Ok(());
    }
    let before = work_list.record_ids.len();
    work_list.record_ids.retain(|record_id| !unseen.contains(record_id));
    work_list.needed -= (before - work_list.record_ids.len()) as u64;
    gone.retain(|record_id| !unseen.contains(record_id));
    Ok(())
}
