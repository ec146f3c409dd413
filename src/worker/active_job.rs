//! A job that the worker is at: what it knows of it and what is left to do.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use vb_engine::batch::Target;
use vb_engine::budget::Budget;
use vb_engine::cancel::CancelFlag;
use vb_engine::provider::config::ProviderConfig;
use vb_engine::purse::Purse;

use super::following::{Following, UNTIL_IDLE};
use super::rate::Rate;
use crate::catalog::batches::WaitingBatch;
use crate::catalog::changes::Pending;
use crate::catalog::collections::{Collection, Stage};
use crate::catalog::jobs::{Job, Standing};
use crate::catalog::references::Owner;
use crate::source::describe::Source;
use crate::source::work_list::{Comparison, Scope, WorkList};

/// Gone records that one batch removes.
const GONE_PER_BATCH: usize = 1_000;

/// The longest pause between two passes over a source whose rows keep changing.
const LONGEST_SWEEP_PAUSE: Duration = Duration::from_secs(10);

/// What stays the same while a job is active; batches in flight share it.
#[derive(Debug)]
pub(crate) struct JobContext {
    /// The job.
    pub(crate) job: Job,
    /// Its source.
    pub(crate) source: Source,
    /// Where its vectors go.
    pub(crate) collection: Collection,
    /// The same, as the engine sees it.
    pub(crate) target: Arc<Target>,
    /// Who embeds.
    pub(crate) provider: Arc<ProviderConfig>,
    /// How passes over its source find work.
    pub(crate) comparison: Comparison,
    /// What it may spend.
    pub(crate) budget: Arc<Budget>,
    /// Pays for its batches, out of that and its client's budget.
    pub(crate) purse: Arc<Purse>,
    /// Raised when the job stops being active.
    pub(crate) cancel: CancelFlag,
}

impl JobContext {
    /// Whose references the job keeps.
    pub(crate) fn owner(&self) -> Owner<'_> {
        Owner {
            client_id: self.job.client_id,
            source: self.job.source,
            vector_type: &self.job.vector_type,
        }
    }

    /// What a pass over its source looks at.
    pub(crate) fn scope(&self) -> Scope {
        scope_of(
            &self.job,
            self.comparison,
            Some(&self.collection),
            self.collection.stage,
        )
    }
}

/// What a pass over a job's source looks at, with the references of its collection if it has one yet.
pub(crate) fn scope_of(job: &Job, comparison: Comparison, collection: Option<&Collection>, stage: Stage) -> Scope {
    Scope {
        role: job.role,
        client_id: job.client_id,
        vector_type: job.vector_type.clone(),
        job_id: job.id,
        comparison,
        collection: collection.map(|collection| collection.name.clone()).unwrap_or_default(),
        stage,
        renew_before: collection.and_then(|collection| collection.renew_before),
    }
}

/// A job that the worker is at.
#[derive(Debug)]
pub(crate) struct ActiveJob {
    /// What stays the same.
    pub(crate) context: Arc<JobContext>,
    /// Higher goes first.
    pub(crate) priority: i32,
    /// Records a batch.
    pub(crate) batch_size: usize,
    /// Batches at a time, if that is bounded.
    pub(crate) concurrency: Option<usize>,
    /// Records to embed or to change, in order.
    pub(crate) todo: VecDeque<String>,
    /// Records whose row is gone.
    pub(crate) gone: VecDeque<String>,
    /// Batches to repeat.
    pub(crate) again: Vec<Again>,
    /// Batches in flight.
    pub(crate) in_flight: usize,
    /// Of these, batches of changes.
    pub(crate) changes_in_flight: usize,
    /// What has changed, for a job that follows changes.
    pub(crate) following: Option<Following>,
    /// Whether a batch embedded or changed anything since the last pass.
    pub(crate) moved: bool,
    /// What is known of its points, if it has some.
    pub(crate) points: Points,
    /// Whether a reader looks at its source.
    pub(crate) is_looked_at: bool,
    /// When a batch of it was begun last.
    pub(crate) served_at: Instant,
    /// How fast it is.
    pub(crate) rate: Rate,
    /// Its provider wants to be left alone until then.
    rests_until: Instant,
    /// When the next pass over the source may be made.
    next_sweep: Instant,
    sweeps: u32,
}

/// What is known of a job's points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Points {
    /// There are references; nobody has asked the store.
    Recorded,
    /// The store is being asked.
    LookedFor,
    /// The store has some, or could not say.
    Seen,
}

/// Records to read, embed and store together, or to remove.
#[derive(Debug)]
pub(crate) struct Again {
    /// The records.
    pub(crate) record_ids: Vec<String>,
    /// Which attempt comes next, from 1.
    pub(crate) attempt: i32,
    /// Not before this moment.
    pub(crate) not_before: Instant,
    /// Its row in `vb_batches`, when it has one already.
    pub(crate) batch_id: Option<i64>,
    /// Whether it runs alone.
    pub(crate) suspect: bool,
    /// How much hurry there is.
    pub(crate) urgency: Urgency,
}

/// How much hurry there is with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Urgency {
    /// Rows have changed: their vectors are to follow at once.
    Change,
    /// It is one of many.
    Backfill,
}

/// The next piece of work of a job.
#[derive(Debug)]
pub(crate) enum Work {
    /// Records to read and embed.
    Embed(Again),
    /// Records to remove.
    Remove(Vec<String>),
}

impl ActiveJob {
    /// A job that has just become active.
    pub(crate) fn new(context: JobContext, batch_size: usize, waiting: Vec<WaitingBatch>, now: Instant) -> Self {
        let again = waiting
            .into_iter()
            .map(|batch| Again {
                record_ids: batch.record_ids,
                attempt: batch.attempt,
                not_before: now,
                batch_id: Some(batch.id),
                suspect: batch.suspect,
                urgency: Urgency::Backfill,
            })
            .collect();
        Self {
            priority: context.job.priority,
            context: Arc::new(context),
            batch_size,
            concurrency: None,
            todo: VecDeque::new(),
            gone: VecDeque::new(),
            again,
            in_flight: 0,
            changes_in_flight: 0,
            following: None,
            moved: false,
            points: Points::Recorded,
            is_looked_at: false,
            served_at: now,
            rate: Rate::new(now),
            rests_until: now,
            next_sweep: now,
            sweeps: 0,
        }
    }

    /// Makes it one that follows changes.
    pub(crate) fn follow(&mut self, pending: Pending, now: Instant) {
        self.following = Some(Following::new(pending, now));
    }

    /// Whether it follows changes and has had nothing to do for so long.
    pub(crate) fn is_idle(&self, now: Instant, time: Duration) -> bool {
        self.following.as_ref().is_some_and(|following| {
            following.len() == 0 && following.everything.is_none() && now >= following.busy_at + time
        }) && self.in_flight == 0
            && self.again.is_empty()
    }

    /// Takes over what a pass over the source found.
    pub(crate) fn load(&mut self, work_list: WorkList, gone: Vec<String>) {
        self.todo = work_list.record_ids.into();
        self.gone = gone.into();
    }

    /// Whether there is something this urgent to dispatch at this moment; a suspect only when nothing at all is in flight.
    pub(crate) fn is_ready(&self, now: Instant, urgency: Urgency, nothing_in_flight: bool) -> bool {
        if now < self.rests_until {
            return false;
        }
        match (self.ready_again(now, urgency), urgency) {
            (Some(position), _) if self.again[position].suspect => nothing_in_flight,
            (Some(_), _) => true,
            (None, Urgency::Change) => self.following.as_ref().is_some_and(|following| following.len() > 0),
            (None, Urgency::Backfill) => !self.todo.is_empty() || !self.gone.is_empty(),
        }
    }

    /// Does from now on as users say.
    pub(crate) fn adopt(&mut self, standing: &Standing) {
        self.priority = standing.priority;
        if let Some(batch_size) = standing.batch_size.and_then(|size| usize::try_from(size).ok()) {
            self.batch_size = batch_size.max(1);
        }
        self.concurrency = standing.concurrency.and_then(|most| usize::try_from(most).ok());
    }

    /// Whether it has as many batches in flight as it may have.
    pub(crate) fn is_full(&self) -> bool {
        self.concurrency.is_some_and(|most| self.in_flight >= most)
    }

    /// Hands out nothing until then.
    pub(crate) fn rest_until(&mut self, moment: Instant) {
        self.rests_until = self.rests_until.max(moment);
    }

    /// Whether a suspect waits for everything else to end.
    pub(crate) fn has_suspect(&self) -> bool {
        self.again.iter().any(|again| again.suspect)
    }

    /// Whether everything that is known to do is done and the source may be looked at again. Where changes are followed, only
    /// when all is to be looked at; those of single records go on meanwhile.
    pub(crate) fn wants_sweep(&self, now: Instant) -> bool {
        let is_wanted = self
            .following
            .as_ref()
            .is_none_or(|following| following.everything.is_some());
        is_wanted
            && !self.is_looked_at
            && self.in_flight == self.changes_in_flight
            && self.points != Points::LookedFor
            && !self.again.iter().any(|again| again.urgency == Urgency::Backfill)
            && self.todo.is_empty()
            && self.gone.is_empty()
            && now >= self.next_sweep
    }

    /// Puts off the next pass, longer each time, so that rows that never stand still cost little.
    pub(crate) fn note_sweep(&mut self, now: Instant) {
        self.sweeps += 1;
        let pause = Duration::from_millis(50).saturating_mul(1 << self.sweeps.min(8));
        self.next_sweep = now + pause.min(LONGEST_SWEEP_PAUSE);
    }

    /// Makes no pass before this moment.
    pub(crate) fn put_off_sweep(&mut self, until: Instant) {
        self.next_sweep = self.next_sweep.max(until);
    }

    /// What is looked at next is something else, which may be done at once.
    pub(crate) fn begin_sweeps_anew(&mut self) {
        self.sweeps = 0;
    }

    /// Whether it follows changes and knows of none that is not done.
    pub(crate) fn knows_of_none(&self) -> bool {
        self.following.as_ref().is_some_and(|following| following.len() == 0)
            && self.in_flight == 0
            && self.again.is_empty()
    }

    /// Whether there is something that it is at, or will be.
    pub(crate) fn has_work(&self) -> bool {
        self.in_flight > 0
            || !self.todo.is_empty()
            || !self.gone.is_empty()
            || !self.again.is_empty()
            || self.following.as_ref().is_some_and(|following| following.len() > 0)
    }

    /// The moment at which this job has something to do by itself, if it waits for one.
    pub(crate) fn next_moment(&self, now: Instant) -> Option<Instant> {
        if now < self.rests_until {
            return Some(self.rests_until);
        }
        let again = self.again.iter().map(|again| again.not_before).min();
        if let Some(following) = &self.following {
            let sweep =
                (following.everything.is_some() && self.wants_sweep(self.next_sweep)).then_some(self.next_sweep);
            let idle = self
                .is_idle(following.busy_at + UNTIL_IDLE, UNTIL_IDLE)
                .then_some(following.busy_at + UNTIL_IDLE);
            return [again, sweep, idle].into_iter().flatten().min();
        }
        let is_asked_about = self.is_looked_at || self.points == Points::LookedFor;
        if self.in_flight > 0 || is_asked_about || !self.todo.is_empty() || !self.gone.is_empty() {
            return None;
        }
        again.or(Some(self.next_sweep))
    }

    /// Records that wait to be repeated or are in work, which a pass must not count again.
    pub(crate) fn waiting_records(&self) -> HashSet<String> {
        self.again
            .iter()
            .flat_map(|again| again.record_ids.iter().cloned())
            .collect()
    }

    /// Takes the next piece of work that is this urgent, of at most so many records unless it is a repetition.
    pub(crate) fn take(&mut self, now: Instant, urgency: Urgency, most: usize) -> Option<Work> {
        if let Some(position) = self.ready_again(now, urgency) {
            return Some(Work::Embed(self.again.remove(position)));
        }
        if urgency == Urgency::Change {
            let batch_size = self.batch_size.min(most);
            let record_ids = self.following.as_mut()?.take(batch_size);
            return (!record_ids.is_empty()).then(|| Work::Embed(Again::first(record_ids, urgency, now)));
        }
        if !self.gone.is_empty() {
            let count = self.gone.len().min(GONE_PER_BATCH);
            return Some(Work::Remove(self.gone.drain(..count).collect()));
        }
        if self.todo.is_empty() {
            return None;
        }
        let count = self.todo.len().min(self.batch_size).min(most);
        let record_ids = self.todo.drain(..count).collect();
        Some(Work::Embed(Again::first(record_ids, urgency, now)))
    }

    fn ready_again(&self, now: Instant, urgency: Urgency) -> Option<usize> {
        let mut again = self.again.iter();
        again.position(|again| again.not_before <= now && again.urgency == urgency)
    }

    /// A batch was handed out.
    pub(crate) fn begun(&mut self, urgency: Urgency, now: Instant) {
        self.in_flight += 1;
        self.served_at = now;
        self.changes_in_flight += usize::from(urgency == Urgency::Change);
    }

    /// A batch has ended.
    pub(crate) fn ended(&mut self, urgency: Urgency, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if urgency == Urgency::Change {
            self.changes_in_flight = self.changes_in_flight.saturating_sub(1);
        }
        if let Some(following) = &mut self.following {
            following.busy_at = now;
        }
    }
}

impl Again {
    fn first(record_ids: Vec<String>, urgency: Urgency, now: Instant) -> Self {
        Self {
            record_ids,
            attempt: 1,
            not_before: now,
            batch_id: None,
            suspect: false,
            urgency,
        }
    }
}
