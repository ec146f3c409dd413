//! The worker's main loop: take outcomes, look for jobs, hand out batches, wait.
//!
//! What it does with jobs is in [`super::watch_jobs`], with batches in [`super::hand_out`].

use std::collections::HashMap;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use pgrx::pg_sys::Oid;
use uuid::Uuid;
use vb_engine::batch::{BatchResult, Outcome};
use vb_engine::pipeline::engine::Engine;
use vb_engine::policy::fairness::Turns;

use super::active_job::ActiveJob;
use super::dispatch::InFlight;
use super::fault::Fault;
use super::{home, log, outcome, startup};
use crate::catalog::batches;
use crate::catalog::installation::Installation;
use crate::error::{Result, VbError};
use crate::pg::catch::catching;
use crate::pg::{latch, lock, memory, process, signal, transaction};
use crate::settings::Settings;

/// How often the worker looks for pause, cancel and new jobs while it has work.
const BUSY_INTERVAL: Duration = Duration::from_millis(250);

/// How long the engine may take to end.
const SHUTDOWN_DEADLINE: Duration = Duration::from_millis(700);

/// The worker of one database.
pub(crate) struct Worker {
    pub(super) database: Oid,
    pub(super) namespace: Uuid,
    pub(super) settings: Settings,
    pub(super) engine: Engine,
    pub(super) wake: UnixStream,
    pub(super) jobs: Vec<ActiveJob>,
    pub(super) turns: Turns,
    pub(super) in_flight: HashMap<i64, InFlight>,
    pub(super) unrecorded: Vec<Outcome>,
    /// Jobs whose rows somebody else holds locked, and until when they are left alone.
    pub(super) locked: HashMap<i64, Instant>,
    pub(super) next_poll: Instant,
    pub(super) next_housekeeping: Instant,
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
            locked: HashMap::new(),
            next_poll: now,
            next_housekeeping: now,
        }
    }

    /// Works until it is asked to end.
    pub(crate) fn run(mut self) {
        let end = loop {
            if signal::termination_requested()
                || lock::is_database_wanted(self.database)
                || !lock::stay_worker(self.database)
            {
                break End::Asked;
            }
            // A cancel is not for us, and an end is asked for above; barriers of the server are served here.
            let _ = catching(|| {
                signal::check_interrupts();
                Ok(())
            });
            signal::reload_settings_when_asked();
            let was_busy = !(self.jobs.is_empty() && self.in_flight.is_empty());
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
            self.rest(was_busy);
            self.show_activity();
            self.wait();
        };
        self.leave(&end);
    }

    /// What an idle worker does not need, others may have.
    fn rest(&self, was_busy: bool) {
        if was_busy && self.jobs.is_empty() && self.in_flight.is_empty() {
            memory::give_back();
        }
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
            let interval = if self.jobs.is_empty() {
                self.settings.poll_interval
            } else {
                BUSY_INTERVAL
            };
            self.next_poll = Instant::now() + interval;
        }
        self.sweep()?;
        self.hand_out()?;
        Ok(Some(()))
    }

    /// Runs the body in a transaction with the extension as it is; `None` when it is gone.
    pub(super) fn transact<R>(&self, body: impl FnOnce(&Installation) -> Result<R>) -> Result<Option<R>> {
        let namespace = self.namespace;
        transaction::run(|| match startup::still_installed(namespace)? {
            Some(installation) => body(&installation).map(Some),
            None => Ok(None),
        })
    }

    fn take_outcomes(&mut self) -> Result<Option<()>> {
        let mut bytes = [0; 256];
        while matches!(self.wake.read(&mut bytes), Ok(count) if count > 0) {}
        while let Some(outcome) = self.engine.try_outcome() {
            self.unrecorded.push(outcome);
        }
        // Each is tried once a turn, in order. The store has its points: it must be recorded, now or later, and whatever
        // keeps one from it keeps no other.
        for outcome in std::mem::take(&mut self.unrecorded) {
            match self.record(&outcome) {
                Ok(Some(())) => self.settle(outcome),
                Ok(None) => return Ok(None),
                Err(error) if Fault::of(&error) == Fault::Later => {
                    pgrx::log!(
                        "vector_backfill records batch {} later: {}",
                        outcome.batch_id,
                        error.message
                    );
                    self.unrecorded.push(outcome);
                }
                Err(error) => self.give_up(outcome, &error)?,
            }
        }
        Ok(Some(()))
    }

    /// A batch that can never be recorded pauses its job, which finds the same records again when it is resumed.
    fn give_up(&mut self, outcome: Outcome, error: &VbError) -> Result<()> {
        self.transact(|installation| batches::end(installation, outcome.batch_id))?;
        self.in_flight.remove(&outcome.batch_id);
        self.stop(outcome.job_id, error)
    }

    fn record(&mut self, outcome: &Outcome) -> Result<Option<()>> {
        let namespace = self.namespace;
        let Some(in_flight) = self.in_flight.get(&outcome.batch_id) else {
            return Ok(Some(()));
        };
        let active = self
            .jobs
            .iter_mut()
            .find(|active| active.context.job.id == outcome.job_id);
        transaction::run(|| match startup::still_installed(namespace)? {
            Some(installation) => outcome::record(&installation, outcome, in_flight, active).map(Some),
            None => Ok(None),
        })
    }

    /// What follows for the job once the outcome is recorded.
    fn settle(&mut self, outcome: Outcome) {
        let Some(in_flight) = self.in_flight.remove(&outcome.batch_id) else {
            return;
        };
        let stops = matches!(&outcome.result, BatchResult::Failed(failure)
            if outcome::stops_job(failure, &in_flight));
        let Some(position) = self
            .jobs
            .iter()
            .position(|active| active.context.job.id == outcome.job_id)
        else {
            return;
        };
        self.jobs[position].in_flight = self.jobs[position].in_flight.saturating_sub(1);
        if stops {
            self.deactivate(position);
        } else {
            outcome::give_back(&mut self.jobs[position], &outcome, in_flight, rand::random());
        }
    }

    fn show_activity(&self) {
        if self.jobs.is_empty() && self.in_flight.is_empty() {
            process::show_activity(false, "jobs");
        } else {
            let text = format!("{} batches of {} jobs in flight", self.in_flight.len(), self.jobs.len());
            process::show_activity(true, &text);
        }
    }

    fn wait(&mut self) {
        let now = Instant::now();
        let mut moment = self.next_poll;
        for next in self.jobs.iter().filter_map(ActiveJob::next_moment) {
            // What is due and was not done waits for something in flight to end, which wakes us.
            if next > now || self.in_flight.is_empty() {
                moment = moment.min(next);
            }
        }
        // The latch is set by a session that has committed something for us to see.
        if latch::wait(Some(self.wake.as_fd()), moment.saturating_duration_since(now)) {
            self.next_poll = Instant::now();
        }
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
        // It may start threads on its way, which must not receive Postgres' signals.
        signal::with_signals_blocked(|| self.engine.shutdown(SHUTDOWN_DEADLINE));
        if matches!(end, End::Uninstalled) {
            make_way(self.database, &self.settings);
        }
        process::exit(0);
    }
}

/// The extension is gone, or was created again: then another worker serves the new one, which clears the folder.
fn make_way(database: Oid, settings: &Settings) {
    let again = transaction::run(Installation::find).ok().flatten().is_some();
    if !again {
        home::remove(settings, database);
        return;
    }
    lock::cease_worker(database);
    if let Err(error) = process::start_worker(database) {
        pgrx::warning!("{}: {}", error.message, error.hint.unwrap_or_default());
    }
}
