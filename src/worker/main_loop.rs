//! The worker's main loop: take outcomes, look for jobs, hand out batches, wait.

use std::collections::HashMap;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use pgrx::pg_sys::Oid;
use uuid::Uuid;
use vb_engine::batch::Outcome;
use vb_engine::pipeline::engine::Engine;
use vb_engine::policy::fairness::Turns;

use super::activate::{self, Surroundings};
use super::active_job::{ActiveJob, Work};
use super::dispatch::{self, InFlight, Prepared, ReadFault};
use super::fault::Fault;
use super::{home, log, outcome, startup};
use crate::catalog::batches;
use crate::catalog::installation::Installation;
use crate::catalog::job_state::JobState;
use crate::catalog::jobs::{self, Job};
use crate::error::{Result, VbError};
use crate::pg::{latch, lock, process, signal, transaction};
use crate::settings::Settings;

/// Jobs that may be active at a time, and of one client.
const ACTIVE_JOBS: usize = 32;
const ACTIVE_JOBS_PER_CLIENT: i64 = 2;

/// How often the worker looks for pause, cancel and new jobs while it has work.
const BUSY_INTERVAL: Duration = Duration::from_millis(250);

/// How often old jobs and batches of ended jobs are cleared away.
const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(60);

/// How long the engine may take to end.
const SHUTDOWN_DEADLINE: Duration = Duration::from_millis(700);

/// Pause after something went wrong that may pass by itself.
const LATER: Duration = Duration::from_secs(5);

/// The worker of one database.
pub(crate) struct Worker {
    database: Oid,
    namespace: Uuid,
    settings: Settings,
    engine: Engine,
    wake: UnixStream,
    jobs: Vec<ActiveJob>,
    turns: Turns,
    in_flight: HashMap<i64, InFlight>,
    unrecorded: Vec<Outcome>,
    next_poll: Instant,
    next_housekeeping: Instant,
}

/// Why the main loop ends.
enum End {
    /// The server, or somebody, wants this process to end.
    Asked,
    /// The extension is no longer installed, or not the same any more.
    Uninstalled,
}

impl Worker {
    /// A worker with nothing to do yet.
    pub(crate) fn new(
        database: Oid,
        namespace: Uuid,
        settings: Settings,
        engine: Engine,
        wake: UnixStream,
        now: Instant,
    ) -> Self {
        Self {
            database,
            namespace,
            settings,
            engine,
            wake,
            jobs: Vec::new(),
            turns: Turns::default(),
            in_flight: HashMap::new(),
            unrecorded: Vec::new(),
            next_poll: now,
            next_housekeeping: now,
        }
    }

    /// Works until it is asked to end.
    pub(crate) fn run(mut self) {
        let end = loop {
            if signal::termination_requested() || lock::is_database_wanted(self.database) {
                break End::Asked;
            }
            signal::check_interrupts();
            signal::reload_settings_when_asked();
            match self.turn() {
                Ok(Some(())) => {}
                Ok(None) => break End::Uninstalled,
                Err(error) => {
                    // Nothing is lost: what was to be done is still to be done.
                    pgrx::warning!("vector_backfill will try again: {}", error.message);
                    self.next_poll = Instant::now() + BUSY_INTERVAL;
                }
            }
            log::forward(&self.engine);
            self.show_activity();
            self.wait();
        };
        self.leave(&end);
    }

    /// One round; `None` when the extension is gone.
    fn turn(&mut self) -> Result<Option<()>> {
        if self.take_outcomes()?.is_none() {
            return Ok(None);
        }
        if Instant::now() >= self.next_poll {
            self.settings = Settings::current();
            if self.poll()?.is_none() {
                return Ok(None);
            }
            let interval = if self.jobs.is_empty() { self.settings.poll_interval } else { BUSY_INTERVAL };
            self.next_poll = Instant::now() + interval;
        }
        self.sweep()?;
        self.hand_out()?;
        Ok(Some(()))
    }

    /// Runs the body in a transaction with the extension as it is; `None` when it is gone.
    fn transact<R>(&self, body: impl FnOnce(&Installation) -> Result<R>) -> Result<Option<R>> {
        let namespace = self.namespace;
        transaction::run(|| match startup::still_installed(namespace)? {
            Some(installation) => body(&installation).map(Some),
            None => Ok(None),
        })
    }

    // --- outcomes ---------------------------------------------------------------------------------------------------

    fn take_outcomes(&mut self) -> Result<Option<()>> {
        let mut bytes = [0; 256];
        while matches!(self.wake.read(&mut bytes), Ok(count) if count > 0) {}
        while let Some(outcome) = self.engine.try_outcome() {
            self.unrecorded.push(outcome);
        }
        while let Some(outcome) = self.unrecorded.pop() {
            match self.record(&outcome) {
                Ok(Some(())) => self.settle(outcome),
                Ok(None) => return Ok(None),
                Err(error) => {
                    // The store has the points: the outcome must be recorded sooner or later.
                    self.unrecorded.push(outcome);
                    return Err(error);
                }
            }
        }
        Ok(Some(()))
    }

    fn record(&mut self, outcome: &Outcome) -> Result<Option<()>> {
        let namespace = self.namespace;
        let Some(in_flight) = self.in_flight.get(&outcome.batch_id) else { return Ok(Some(())) };
        let active = self.jobs.iter_mut().find(|active| active.context.job.id == outcome.job_id);
        transaction::run(|| match startup::still_installed(namespace)? {
            Some(installation) => outcome::record(&installation, outcome, in_flight, active).map(Some),
            None => Ok(None),
        })
    }

    /// What follows for the job once the outcome is recorded.
    fn settle(&mut self, outcome: Outcome) {
        let Some(in_flight) = self.in_flight.remove(&outcome.batch_id) else { return };
        let stops = matches!(&outcome.result, vb_engine::batch::BatchResult::Failed(failure)
            if outcome::stops_job(failure, &in_flight));
        let Some(position) = self.jobs.iter().position(|active| active.context.job.id == outcome.job_id) else {
            return;
        };
        self.jobs[position].in_flight = self.jobs[position].in_flight.saturating_sub(1);
        if stops {
            self.deactivate(position);
        } else {
            outcome::give_back(&mut self.jobs[position], &outcome, in_flight, rand::random());
        }
    }

    // --- jobs -------------------------------------------------------------------------------------------------------

    /// Notices what users decided about active jobs, and makes new ones active.
    fn poll(&mut self) -> Result<Option<()>> {
        let active: Vec<i64> = self.jobs.iter().map(|active| active.context.job.id).collect();
        let housekeeping = Instant::now() >= self.next_housekeeping;
        let retention = self.settings.job_retention;
        let free = ACTIVE_JOBS.saturating_sub(active.len()) as i64;
        let polled = self.transact(|installation| {
            let states = jobs::states(installation, &active)?;
            let runnable = jobs::runnable(installation, &active, ACTIVE_JOBS_PER_CLIENT, free)?;
            if housekeeping {
                batches::forget_ended(installation)?;
                if let Some(retention) = retention {
                    jobs::retire(installation, retention)?;
                }
            }
            Ok((states, runnable))
        })?;
        let Some((states, runnable)) = polled else { return Ok(None) };
        if housekeeping {
            self.next_housekeeping = Instant::now() + HOUSEKEEPING_INTERVAL;
        }
        for job in active {
            if !states.contains(&(job, JobState::Running))
                && let Some(position) = self.jobs.iter().position(|active| active.context.job.id == job)
            {
                self.deactivate(position);
            }
        }
        for job in runnable {
            self.activate(job)?;
        }
        let clients: Vec<i64> = self.jobs.iter().map(|active| active.context.job.client_id).collect();
        self.turns.retain(|client| clients.contains(&client));
        Ok(Some(()))
    }

    fn activate(&mut self, job: Job) -> Result<()> {
        process::show_activity(true, &format!("looking for work of job {}", job.id));
        let in_flight = self
            .in_flight
            .values()
            .filter(|batch| batch.context.job.id == job.id)
            .flat_map(|batch| batch.record_ids.iter().cloned())
            .collect();
        let surroundings = Surroundings { settings: &self.settings, namespace: self.namespace, in_flight };
        let id = job.id;
        match self.transact(|installation| activate::activate(installation, &surroundings, job)) {
            Ok(activated) => {
                if let Some(active) = activated.flatten() {
                    self.jobs.push(active);
                }
                Ok(())
            }
            Err(error) => self.stop(id, &error),
        }
    }

    /// Stops or postpones a job for an error that is not about one of its records.
    fn stop(&mut self, job: i64, error: &VbError) -> Result<()> {
        let reason = match &error.hint {
            Some(hint) => format!("{} ({hint})", error.message),
            None => error.message.clone(),
        };
        pgrx::log!("vector_backfill job {job} stops: {reason}");
        if let Some(position) = self.jobs.iter().position(|active| active.context.job.id == job) {
            self.deactivate(position);
        }
        self.transact(|installation| match Fault::of(error) {
            Fault::Fail => jobs::stop(installation, job, JobState::Failed, &reason),
            Fault::Pause | Fault::Record => jobs::stop(installation, job, JobState::Paused, &reason),
            Fault::Later => jobs::postpone(installation, job, &reason, LATER),
        })
        .map(|_| ())
    }

    /// Forgets a job; its batches in flight are cancelled, and recorded when that comes too late.
    fn deactivate(&mut self, position: usize) {
        self.jobs.remove(position).context.cancel.raise();
    }

    /// Looks at the sources of jobs that have done everything they knew of.
    fn sweep(&mut self) -> Result<()> {
        let now = Instant::now();
        let Some(position) = self.jobs.iter().position(|active| active.wants_sweep(now)) else { return Ok(()) };
        let mut active = self.jobs.remove(position);
        process::show_activity(true, &format!("looking for changes for job {}", active.context.job.id));
        let swept = self.transact(|installation| activate::sweep(installation, &self.settings, &mut active));
        active.note_sweep(Instant::now());
        match swept {
            Ok(Some(true)) => {
                self.engine.optimize(&active.context.collection.name);
                Ok(())
            }
            Ok(_) => {
                self.jobs.push(active);
                Ok(())
            }
            Err(error) => {
                let id = active.context.job.id;
                self.jobs.push(active);
                self.stop(id, &error)
            }
        }
    }

    // --- batches ----------------------------------------------------------------------------------------------------

    /// Hands out batches while there is room, client by client in turn.
    fn hand_out(&mut self) -> Result<()> {
        while self.in_flight.len() < self.settings.max_concurrent_batches
            && self.engine.bytes_in_flight() < self.settings.memory_limit / 2
        {
            signal::check_interrupts();
            let Some(position) = self.next_job() else { return Ok(()) };
            let active = &mut self.jobs[position];
            let (client, priority) = (active.context.job.client_id, active.context.job.priority);
            let served = match active.take(Instant::now()) {
                Some(Work::Embed(again)) => {
                    let records = again.record_ids.len();
                    self.embed(position, again)?;
                    records
                }
                Some(Work::Remove(gone)) => {
                    let records = gone.len();
                    self.remove(position, gone)?;
                    records
                }
                None => return Ok(()),
            };
            self.turns.charge(client, served, priority);
        }
        Ok(())
    }

    /// The job whose turn it is; none while a suspect is alone in flight or waits for that.
    fn next_job(&mut self) -> Option<usize> {
        if self.in_flight.values().any(|batch| batch.suspect) {
            return None;
        }
        let now = Instant::now();
        let idle = self.in_flight.is_empty();
        let ready: Vec<usize> =
            (0..self.jobs.len()).filter(|position| self.jobs[*position].is_ready(now, idle)).collect();
        if idle && let Some(suspected) = ready.iter().copied().find(|position| self.jobs[*position].has_suspect()) {
            return Some(suspected);
        }
        if !idle && self.jobs.iter().any(ActiveJob::has_suspect) {
            return None;
        }
        // The best job of each client that has one.
        let mut best: Vec<usize> = Vec::new();
        for position in ready {
            let job = &self.jobs[position].context.job;
            match best.iter_mut().find(|other| self.jobs[**other].context.job.client_id == job.client_id) {
                Some(other) if self.jobs[*other].context.job.priority < job.priority => *other = position,
                Some(_) => {}
                None => best.push(position),
            }
        }
        let clients: Vec<i64> = best.iter().map(|position| self.jobs[*position].context.job.client_id).collect();
        self.turns.next(&clients).map(|index| best[index])
    }

    fn embed(&mut self, position: usize, again: super::active_job::Again) -> Result<()> {
        let byte_limit = self.settings.memory_limit / 2 / self.settings.max_concurrent_batches.max(1);
        let active = &self.jobs[position];
        let mut rest = Vec::new();
        let prepared = self.transact(|installation| {
            dispatch::prepare(installation, active, &again, byte_limit, &mut rest)
        });
        match prepared {
            Ok(prepared) => {
                for record_id in rest.into_iter().rev() {
                    self.jobs[position].todo.push_front(record_id);
                }
                if let Some(prepared) = prepared.flatten() {
                    self.submit(position, prepared);
                }
                Ok(())
            }
            Err(error) => self.read_failed(position, again, &error),
        }
    }

    fn read_failed(&mut self, position: usize, again: super::active_job::Again, error: &VbError) -> Result<()> {
        let context = std::sync::Arc::clone(&self.jobs[position].context);
        match dispatch::read_fault(error, &again) {
            ReadFault::Halves(halves) => {
                if let Some(batch_id) = again.batch_id {
                    self.transact(|installation| batches::end(installation, batch_id))?;
                }
                self.jobs[position].again.extend(halves);
                Ok(())
            }
            ReadFault::SetAside(record_id) => self
                .transact(|installation| dispatch::set_aside(installation, &context, &again, &record_id, error))
                .map(|_| ()),
            ReadFault::Job(_) => self.stop(context.job.id, error),
        }
    }

    fn remove(&mut self, position: usize, gone: Vec<String>) -> Result<()> {
        let active = &self.jobs[position];
        let prepared = self.transact(|installation| dispatch::prepare_removal(installation, active, gone))?;
        if let Some(prepared) = prepared {
            self.submit(position, prepared);
        }
        Ok(())
    }

    fn submit(&mut self, position: usize, (batch, in_flight): Prepared) {
        self.jobs[position].in_flight += 1;
        self.in_flight.insert(batch.id, in_flight);
        self.engine.submit(batch);
    }

    // --- waiting and ending -----------------------------------------------------------------------------------------

    fn show_activity(&self) {
        if self.jobs.is_empty() && self.in_flight.is_empty() {
            process::show_activity(false, "jobs");
        } else {
            let text = format!("{} batches of {} jobs in flight", self.in_flight.len(), self.jobs.len());
            process::show_activity(true, &text);
        }
    }

    fn wait(&self) {
        let now = Instant::now();
        let mut moment = self.next_poll;
        for next in self.jobs.iter().filter_map(ActiveJob::next_moment) {
            // What is due and was not done waits for something in flight to end, which wakes us.
            if next > now || self.in_flight.is_empty() {
                moment = moment.min(next);
            }
        }
        latch::wait(Some(self.wake.as_fd()), moment.saturating_duration_since(now));
    }

    /// Ends in order: what is in flight is released, so that nobody suspects it of a crash.
    fn leave(mut self, end: &End) {
        signal::postpone_termination();
        for active in &self.jobs {
            active.context.cancel.raise();
        }
        if matches!(end, End::Asked) {
            // What the store has already is recorded first.
            let recorded = self.take_outcomes();
            let released = self.transact(batches::release);
            if let Err(error) = recorded.and(released.map(|_| Some(()))) {
                pgrx::log!("vector_backfill leaves batches to the next worker: {}", error.message);
            }
        }
        self.engine.shutdown(SHUTDOWN_DEADLINE);
        if matches!(end, End::Uninstalled) {
            home::remove(&self.settings, self.database);
        }
        process::exit(0);
    }
}
