//! A job that the worker is at: what it knows of it and what is left to do.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use vb_engine::batch::Target;
use vb_engine::budget::Budget;
use vb_engine::cancel::CancelFlag;
use vb_engine::provider::config::ProviderConfig;
use vb_engine::purse::Purse;

use super::rate::Rate;
use crate::catalog::batches::WaitingBatch;
use crate::catalog::collections::{Collection, Stage};
use crate::catalog::jobs::Job;
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
    /// Records a batch.
    pub(crate) batch_size: usize,
    /// Records to embed or to change, in order.
    pub(crate) todo: VecDeque<String>,
    /// Records whose row is gone.
    pub(crate) gone: VecDeque<String>,
    /// Batches to repeat.
    pub(crate) again: Vec<Again>,
    /// Batches in flight.
    pub(crate) in_flight: usize,
    /// Whether a batch embedded or changed anything since the last pass.
    pub(crate) moved: bool,
    /// What is known of its points, if it has some.
    pub(crate) points: Points,
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
            })
            .collect();
        Self {
            context: Arc::new(context),
            batch_size,
            todo: VecDeque::new(),
            gone: VecDeque::new(),
            again,
            in_flight: 0,
            moved: false,
            points: Points::Recorded,
            rate: Rate::new(now),
            rests_until: now,
            next_sweep: now,
            sweeps: 0,
        }
    }

    /// Takes over what a pass over the source found.
    pub(crate) fn load(&mut self, work_list: WorkList, gone: Vec<String>) {
        self.todo = work_list.record_ids.into();
        self.gone = gone.into();
    }

    /// Whether there is something to dispatch at this moment; a suspect only when nothing at all is in flight.
    pub(crate) fn is_ready(&self, now: Instant, nothing_in_flight: bool) -> bool {
        if now < self.rests_until {
            return false;
        }
        match self.ready_again(now) {
            Some(position) if self.again[position].suspect => nothing_in_flight,
            Some(_) => true,
            None => !self.todo.is_empty() || !self.gone.is_empty(),
        }
    }

    /// Hands out nothing until then.
    pub(crate) fn rest_until(&mut self, moment: Instant) {
        self.rests_until = self.rests_until.max(moment);
    }

    /// Whether a suspect waits for everything else to end.
    pub(crate) fn has_suspect(&self) -> bool {
        self.again.iter().any(|again| again.suspect)
    }

    /// Whether everything that is known to do is done and the source may be looked at again.
    pub(crate) fn wants_sweep(&self, now: Instant) -> bool {
        self.in_flight == 0
            && self.points != Points::LookedFor
            && self.again.is_empty()
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

    /// The moment at which this job has something to do by itself, if it waits for one.
    pub(crate) fn next_moment(&self, now: Instant) -> Option<Instant> {
        if now < self.rests_until {
            return Some(self.rests_until);
        }
        if self.in_flight > 0 || self.points == Points::LookedFor || !self.todo.is_empty() || !self.gone.is_empty() {
            return None;
        }
        self.again
            .iter()
            .map(|again| again.not_before)
            .min()
            .or(Some(self.next_sweep))
    }

    /// Records that wait to be repeated or are in work, which a pass must not count again.
    pub(crate) fn waiting_records(&self) -> HashSet<String> {
        self.again
            .iter()
            .flat_map(|again| again.record_ids.iter().cloned())
            .collect()
    }

    /// Takes the next piece of work.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Work> {
        if let Some(position) = self.ready_again(now) {
            return Some(Work::Embed(self.again.remove(position)));
        }
        if !self.gone.is_empty() {
            let count = self.gone.len().min(GONE_PER_BATCH);
            return Some(Work::Remove(self.gone.drain(..count).collect()));
        }
        if self.todo.is_empty() {
            return None;
        }
        let count = self.todo.len().min(self.batch_size);
        let record_ids = self.todo.drain(..count).collect();
        Some(Work::Embed(Again {
            record_ids,
            attempt: 1,
            not_before: now,
            batch_id: None,
            suspect: false,
        }))
    }

    fn ready_again(&self, now: Instant) -> Option<usize> {
        self.again.iter().position(|again| again.not_before <= now)
    }
}
