//! What the worker does with jobs: notice what users decided, make jobs active, look for what changed, stop those that
//! cannot go on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use vb_engine::policy::pacing::Bounded;
use vb_engine::provider::config::ProviderConfig;

use super::activate::{self, Activated};
use super::active_job::{ActiveJob, JobContext, Points};
use super::begin::{Begun, UNTIL_LET_GO};
use super::budgets;
use super::dispatch::InFlight;
use super::look::{self, Look, Surroundings};
use super::main_loop::Worker;
use super::provider_choice::Ask;
use super::readings::Purpose;
use super::sweep::{self, Swept};
use crate::catalog::collections::Stage;
use crate::catalog::job_state::{JobEvent, JobState};
use crate::catalog::jobs::{self, Job};
use crate::catalog::seen::Seen;
use crate::catalog::{audit, batches, changes, hours, samples, schedules, spending};
use crate::error::{Result, VbError};
use crate::fault::Fault;
use crate::pg::{process, signal};
use crate::source::work_list::Comparison;

/// Jobs that may be active at a time, and of one client.
const ACTIVE_JOBS: usize = 32;
const ACTIVE_JOBS_PER_CLIENT: i64 = 2;

/// How often the worker looks for pause, cancel and new jobs while it has work.
const BUSY_INTERVAL: Duration = Duration::from_millis(250);

/// How often old jobs and batches of ended jobs are cleared away.
const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(60);

/// Pauses after something went wrong that may pass by itself: the first, and the longest.
pub(super) const LATER: Duration = Duration::from_secs(5);
const MUCH_LATER: Duration = Duration::from_secs(300);

impl Worker {
    /// Notices what users decided about active jobs, and makes the next one active. Gives the time until the next look;
    /// `None` when the extension is gone.
    pub(super) fn poll(&mut self) -> Result<Option<Duration>> {
        let begun = Instant::now();
        if let Err(error) = self.keep_stores() {
            pgrx::log!("vector_backfill looks after its stores later: {}", error.message);
        }
        let active = self.active_jobs();
        let known: Vec<i64> = active.iter().copied().chain(self.jobs_looked_for()).collect();
        let housekeeping = Instant::now() >= self.next_housekeeping;
        let (retention, of_audit) = (self.settings.job_retention, self.settings.audit_retention);
        let backfills = self.jobs.iter().filter(|active| active.following.is_none()).count();
        let backfills = backfills + self.jobs_looked_for().count();
        let free = ACTIVE_JOBS.saturating_sub(backfills) as i64;
        let polled = self.transact(|installation| {
            let seen = Seen::now(installation)?;
            schedules::run_due(installation)?;
            let closed = hours::closed(installation)?;
            let paces = spending::paces(installation)?;
            let standings = jobs::standings(installation, &known)?;
            let changed = look::changed(installation, self.jobs.iter().map(|active| &*active.context));
            budgets::refresh_clients(installation, self.engine.client_budgets())?;
            budgets::refresh_jobs(installation, self.jobs.iter().map(|active| &active.context))?;
            jobs::wake(installation)?;
            let runnable = jobs::runnable(installation, &known, ACTIVE_JOBS_PER_CLIENT, free, &closed)?;
            if housekeeping {
                batches::forget_ended(installation)?;
                changes::forget_orphans(installation)?;
                if let Some(retention) = retention {
                    jobs::retire(installation, retention)?;
                }
                samples::thin(installation, retention)?;
                if let Some(retention) = of_audit {
                    audit::retire(installation, retention)?;
                }
            }
            Ok((seen, standings, changed, runnable, closed, paces))
        })?;
        let Some((seen, standings, changed, runnable, closed, paces)) = polled else {
            return Ok(None);
        };
        self.last_look = (begun, seen);
        self.closed = closed;
        self.set_paces(paces);
        // Those whose hours have closed leave their places to others.
        let closed = self
            .jobs
            .iter()
            .filter(|active| active.in_flight == 0 && self.is_closed(active));
        let closed: Vec<i64> = closed.map(|active| active.context.job.id).collect();
        closed.into_iter().for_each(|job| self.deactivate(job));
        if housekeeping {
            self.next_housekeeping = Instant::now() + HOUSEKEEPING_INTERVAL;
        }
        for job in self.jobs_looked_for().collect::<Vec<_>>() {
            let standing = standings.iter().find(|standing| standing.id == job);
            if standing.is_none_or(|standing| !standing.state.is_runnable()) {
                self.give_up_looks(job);
            }
        }
        for job in active {
            let standing = standings.iter().find(|standing| standing.id == job);
            match standing.filter(|standing| standing.state == JobState::Running && !changed.contains(&job)) {
                Some(standing) => {
                    let mut active = self.jobs.iter_mut();
                    if let Some(active) = active.find(|active| active.context.job.id == job) {
                        active.adopt(standing);
                    }
                }
                None => self.deactivate(job),
            }
        }
        let now = Instant::now();
        self.locked.retain(|_, until| *until > now);
        let next = runnable
            .into_iter()
            .find(|job| !self.settings.paused && self.may_begin(job));
        let interval = if next.is_some() {
            // One a turn: it may take a while, and outcomes and other jobs wait.
            Duration::ZERO
        } else if self.is_idle() {
            self.settings.poll_interval
        } else {
            BUSY_INTERVAL
        };
        if let Some(job) = next {
            self.activate_or_leave(job, Comparison::Texts, Look::IfShort);
        }
        let clients: Vec<i64> = self.jobs.iter().map(|active| active.context.job.client_id).collect();
        self.turns.retain(|client| clients.contains(&client));
        self.turns_of_changes.retain(|client| clients.contains(&client));
        Ok(Some(interval))
    }

    fn set_paces(&mut self, clients: Vec<(i64, u32)>) {
        let clients = clients
            .into_iter()
            .map(|(client, rate)| (Bounded::Client(client), rate));
        let backfills = self
            .settings
            .max_records_per_second
            .map(|rate| (Bounded::Backfills, rate));
        let bounds: Vec<(Bounded, u32)> = clients.chain(backfills).collect();
        self.pacing.set(&bounds, Instant::now());
    }

    /// Whether a job that is not active may become it: nobody holds it locked, and batches that a pause cancelled have
    /// ended, so that nothing is embedded twice when the pause is taken back.
    pub(super) fn may_begin(&self, job: &Job) -> bool {
        let is_of_the_same = |batch: &InFlight| {
            let other = &batch.context.job;
            other.is_about_the_same(job) && (other.reembed, other.kind) == (job.reembed, job.kind)
        };
        !self.locked.contains_key(&job.id)
            && !self.awaiting_reader.contains(&job.id)
            && !self.in_flight.values().any(is_of_the_same)
    }

    /// Makes a job active, or leaves it alone for a while when it is not possible to say what is wrong with it.
    pub(super) fn activate_or_leave(&mut self, job: Job, comparison: Comparison, look: Look) {
        let id = job.id;
        if let Err(error) = self.activate(job, comparison, look) {
            pgrx::log!("vector_backfill leaves job {id} alone for a while: {}", error.message);
            self.locked.insert(id, Instant::now() + LATER);
        }
    }

    pub(super) fn activate(&mut self, job: Job, comparison: Comparison, look: Look) -> Result<()> {
        process::show_activity(true, &format!("looking for work of job {}", job.id));
        let trouble = |config: &ProviderConfig| self.troubles.of(&self.engine, config);
        let surroundings = self.surroundings(&trouble);
        let activated = self.begin_for(job.client_id, |installation| {
            activate::activate(installation, &surroundings, job.clone(), comparison, look)
        });
        match activated {
            Ok(Begun::Gone | Begun::Moved) => Ok(()),
            Ok(Begun::Held) => {
                self.locked.insert(job.id, Instant::now() + UNTIL_LET_GO);
                Ok(())
            }
            Ok(Begun::Done(Activated::Active(active))) => {
                self.jobs.push(*active);
                Ok(())
            }
            Ok(Begun::Done(Activated::TakesLong(order))) => {
                if self.ask(order, Purpose::Activation(job.clone(), comparison)) {
                    return Ok(());
                }
                self.activate(job, comparison, Look::Anyway)
            }
            Err(error) => self.look_failed(job, comparison, &error),
        }
    }

    /// A job that could not become active: where one of its rows is at fault, that is found out in its batch.
    pub(super) fn look_failed(&mut self, job: Job, comparison: Comparison, error: &VbError) -> Result<()> {
        if Fault::of(error) == Fault::Record && comparison == Comparison::Texts {
            return self.activate(job, Comparison::Keys, Look::IfShort);
        }
        self.stop(job.id, error)
    }

    fn surroundings<'a>(&'a self, trouble: Ask<'a>) -> Surroundings<'a> {
        Surroundings {
            trouble,
            budgets: self.engine.client_budgets(),
            database: self.database,
            settings: &self.settings,
            namespace: self.namespace,
        }
    }

    /// Stops or postpones a job for an error that is not about one of its records.
    pub(super) fn stop(&mut self, job: i64, error: &VbError) -> Result<()> {
        self.deactivate(job);
        if Fault::of(error) == Fault::Interrupted || signal::termination_requested() {
            return Ok(());
        }
        let reason = match &error.hint {
            Some(hint) => format!("{} ({hint})", error.message),
            None => error.message.clone(),
        };
        pgrx::log!("vector_backfill job {job} stops: {reason}");
        self.transact(|installation| match Fault::of(error) {
            Fault::Fail => jobs::stop(installation, job, JobEvent::Fail, &reason, None),
            Fault::Pause | Fault::Record => jobs::stop(installation, job, JobEvent::Pause, &reason, None),
            Fault::Interrupted | Fault::Later => jobs::postpone(installation, job, &reason, LATER, MUCH_LATER),
        })
        .map(|_| ())
    }

    /// An active job whose table or column is no longer found: it may have got another name, which the next activation
    /// finds out, or be gone, which it finds out too. Other errors stop the job.
    pub(super) fn stop_or_look_again(&mut self, job: i64, error: &VbError) -> Result<()> {
        if Fault::of(error) != Fault::Fail {
            return self.stop(job, error);
        }
        self.look_again(job);
        // It may be the same again: others have their turn before.
        self.locked.insert(job, Instant::now() + LATER);
        Ok(())
    }

    /// Makes an active job active anew, since it works with what does not hold any more.
    pub(super) fn look_again(&mut self, job: i64) {
        self.deactivate(job);
        self.next_poll = Instant::now();
    }

    /// Forgets a job, if it is active or becomes it; its batches in flight are cancelled, and recorded when that comes too late.
    pub(super) fn deactivate(&mut self, job: i64) {
        self.give_up_looks(job);
        if let Some(position) = self.jobs.iter().position(|active| active.context.job.id == job) {
            self.jobs.remove(position).context.cancel.raise();
        }
    }

    /// Looks at the sources of jobs that have done everything they knew of.
    pub(super) fn sweep(&mut self) -> Result<()> {
        let now = Instant::now();
        let wants = |active: &ActiveJob| {
            active.wants_sweep(now)
                && !self.is_overtaken(&active.context)
                && !self.is_closed(active)
                && !self.awaiting_reader.contains(&active.context.job.id)
        };
        let Some(position) = self.jobs.iter().position(wants) else {
            return Ok(());
        };
        // What changes from here on has another number.
        let following = self.jobs[position].following.as_ref();
        let everything = following.and_then(|following| following.everything);
        self.sweep_job(position, everything, Look::IfShort)
    }

    /// Does so for one of them.
    pub(super) fn sweep_job(&mut self, position: usize, everything: Option<i64>, look: Look) -> Result<()> {
        let mut active = self.jobs.remove(position);
        process::show_activity(true, &format!("looking for changes for job {}", active.context.job.id));
        let trouble = |config: &ProviderConfig| self.troubles.of(&self.engine, config);
        let surroundings = self.surroundings(&trouble);
        let context = Arc::clone(&active.context);
        let swept = self.begin_with(&context, |installation| {
            sweep::sweep(installation, &surroundings, &mut active, everything, look)
        });
        if !matches!(swept, Ok(Begun::Done(Swept::TakesLong(_)))) {
            active.note_sweep(Instant::now());
        }
        match swept {
            Ok(Begun::Held) => {
                active.rest_until(Instant::now() + UNTIL_LET_GO);
                self.jobs.push(active);
                Ok(())
            }
            Ok(Begun::Done(Swept::Done)) => {
                self.finish_collection(&active.context.collection)?;
                self.look_again_at_others(&active.context.job);
                Ok(())
            }
            Ok(Begun::Done(Swept::CaughtUp)) => {
                self.finish_collection(&active.context.collection)?;
                self.jobs.push(active);
                Ok(())
            }
            Ok(Begun::Done(Swept::Unproved)) => {
                active.points = Points::LookedFor;
                self.engine.look(active.context.target.place());
                self.jobs.push(active);
                Ok(())
            }
            Ok(Begun::Done(Swept::Changed) | Begun::Moved) => {
                self.next_poll = Instant::now();
                Ok(())
            }
            Ok(Begun::Done(Swept::More) | Begun::Gone) => {
                self.jobs.push(active);
                Ok(())
            }
            Ok(Begun::Done(Swept::TakesLong(order))) => {
                self.jobs.push(active);
                if self.ask(order, Purpose::Sweep(everything)) {
                    return Ok(());
                }
                self.sweep_job(self.jobs.len() - 1, everything, Look::Anyway)
            }
            Err(error) => {
                self.jobs.push(active);
                self.sweep_failed(self.jobs.len() - 1, &error)
            }
        }
    }

    /// The source of an active job could not be looked at.
    pub(super) fn sweep_failed(&mut self, position: usize, error: &VbError) -> Result<()> {
        let context = Arc::clone(&self.jobs[position].context);
        if Fault::of(error) == Fault::Record && context.comparison == Comparison::Texts {
            self.jobs.remove(position);
            return self.activate(context.job.clone(), Comparison::Keys, Look::IfShort);
        }
        self.stop_or_look_again(context.job.id, error)
    }

    /// Whether batches in flight write to the collection whose place this job's will take.
    fn is_overtaken(&self, context: &JobContext) -> bool {
        let mut others = self.in_flight.values().map(|batch| &batch.context);
        context.collection.stage == Stage::Building && others.any(|other| other.job.is_about_the_same(&context.job))
    }

    /// The collection that other jobs work with may have been replaced.
    fn look_again_at_others(&mut self, done: &Job) {
        let others = self.jobs.iter().map(|active| &active.context.job);
        let others: Vec<i64> = others
            .filter(|job| job.is_about_the_same(done))
            .map(|job| job.id)
            .collect();
        for job in others {
            self.look_again(job);
        }
    }
}
