//! The worker's main loop: take outcomes, look for jobs, hand out batches, wait.
//!
//! What it does with jobs is in [`super::watch_jobs`], with batches in [`super::hand_out`].

use std::collections::HashMap;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pgrx::pg_sys::Oid;
use uuid::Uuid;
use vb_engine::batch::{BatchResult, Outcome};
use vb_engine::pipeline::engine::Engine;
use vb_engine::policy::fairness::Turns;

use super::active_job::ActiveJob;
use super::dispatch::InFlight;
use super::fault::Fault;
use super::home::{self, Mark};
use super::{log, outcome, startup};
use crate::catalog::batches;
use crate::catalog::installation::Installation;
use crate::catalog::jobs;
use crate::error::{Result, VbError};
use crate::pg::catch::catching;
use crate::pg::{latch, lock, memory, process, signal, transaction};
use crate::settings::Settings;

/// How often the worker looks for pause, cancel and new jobs while it has work.
const BUSY_INTERVAL: Duration = Duration::from_millis(250);

/// Pauses after rounds that failed: the first, and the longest of those that follow.
const FIRST_REST: Duration = BUSY_INTERVAL;
const LONGEST_REST: Duration = Duration::from_secs(30);

/// How long the engine may take to end.
const SHUTDOWN_DEADLINE: Duration = Duration::from_millis(700);

/// The worker of one database.
pub(crate) struct Worker {
    pub(super) database: Oid,
    pub(super) namespace: Uuid,
    /// System identifier of the server.
    server: i64,
    /// Its folder, which the settings named when it started.
    home: PathBuf,
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
    /// When the last look at the jobs began.
    pub(super) last_look: Instant,
    /// Whether it left some for the next turn.
    pub(super) look_at_jobs_again: bool,
    pub(super) next_housekeeping: Instant,
    /// Rounds in a row that failed, and until when nothing new is begun for that.
    failures: u32,
    rest_until: Instant,
}

/// Why the main loop ends.
enum End {
    /// The server, or somebody, wants this process to end.
    Asked,
    /// Somebody wants the database without sessions, perhaps only for a moment.
    InTheWay,
    /// The extension is no longer installed, or not the same any more.
    Uninstalled,
}

impl Worker {
    /// A worker with nothing to do yet.
    pub(crate) fn new(
        database: Oid,
        Mark { installation, server }: Mark,
        settings: Settings,
        engine: Engine,
        wake: UnixStream,
        now: Instant,
    ) -> Self {
        Self {
            database,
            namespace: installation,
            server,
            home: settings.database_directory(database),
            settings,
            engine,
            wake,
            jobs: Vec::new(),
            turns: Turns::default(),
            in_flight: HashMap::new(),
            unrecorded: Vec::new(),
            locked: HashMap::new(),
            next_poll: now,
            last_look: now,
            look_at_jobs_again: false,
            next_housekeeping: now,
            failures: 0,
            rest_until: now,
        }
    }

    /// Works until it is asked to end.
    pub(crate) fn run(mut self) {
        let end = loop {
            if signal::termination_requested() || !lock::stay_worker(self.database) {
                break End::Asked;
            }
            if lock::is_database_wanted(self.database) {
                break End::InTheWay;
            }
            // A cancel of no statement means nothing; barriers of the server are served here.
            let _ = catching(|| {
                signal::check_interrupts();
                Ok(())
            });
            signal::reload_settings_when_asked();
            let was_busy = !(self.jobs.is_empty() && self.in_flight.is_empty());
            match self.turn() {
                Ok(Some(())) => {}
                Ok(None) => break End::Uninstalled,
                Err(error) => self.round_failed(&error),
            }
            if self.is_elsewhere() {
                break End::InTheWay;
            }
            log::forward(&self.engine);
            self.rest(was_busy);
            self.show_activity();
            self.wait();
        };
        self.leave(&end);
    }

    /// Nothing is lost: what was to be done is still to be done, after a pause that grows.
    fn round_failed(&mut self, error: &VbError) {
        let pause = FIRST_REST.saturating_mul(1 << self.failures.min(10)).min(LONGEST_REST);
        self.failures = self.failures.saturating_add(1);
        self.rest_until = Instant::now() + pause;
        self.next_poll = self.rest_until;
        pgrx::warning!(
            "vector_backfill tries again in {:.1} s: {}",
            pause.as_secs_f32(),
            error.message
        );
    }

    /// Whether the settings have moved the worker's folder: a new worker opens the new one.
    fn is_elsewhere(&self) -> bool {
        self.settings.database_directory(self.database) != self.home
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
        if signal::termination_requested() {
            return Ok(Some(()));
        }
        let rested = Instant::now() >= self.rest_until;
        if Instant::now() >= self.next_poll {
            self.settings = Settings::current();
            if self.poll()?.is_none() {
                return Ok(None);
            }
            let interval = if std::mem::take(&mut self.look_at_jobs_again) {
                Duration::ZERO
            } else if self.jobs.is_empty() && self.in_flight.is_empty() {
                self.settings.poll_interval
            } else {
                BUSY_INTERVAL
            };
            self.next_poll = Instant::now() + interval;
        }
        if rested {
            self.sweep()?;
            self.hand_out()?;
            self.failures = 0;
        }
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
        let mut outcomes = std::mem::take(&mut self.unrecorded).into_iter();
        while let Some(outcome) = outcomes.next() {
            match self.record(&outcome) {
                Ok(Some(())) => self.settle(outcome),
                Ok(None) => return Ok(None),
                Err(error) if matches!(Fault::of(&error), Fault::Later | Fault::Interrupted) => {
                    pgrx::log!(
                        "vector_backfill records batch {} later: {}",
                        outcome.batch_id,
                        error.message
                    );
                    self.unrecorded.push(outcome);
                }
                Err(error) => {
                    if let Err(error) = self.give_up(&outcome, &error) {
                        self.unrecorded.push(outcome);
                        self.unrecorded.extend(outcomes);
                        return Err(error);
                    }
                }
            }
        }
        Ok(Some(()))
    }

    /// A batch that can never be recorded pauses its job, which finds the same records again when it is resumed.
    fn give_up(&mut self, outcome: &Outcome, error: &VbError) -> Result<()> {
        self.transact(|installation| batches::end(installation, outcome.batch_id))?;
        self.in_flight.remove(&outcome.batch_id);
        self.stop(outcome.job_id, error)
    }

    fn record(&mut self, outcome: &Outcome) -> Result<Option<()>> {
        let namespace = self.namespace;
        let Some(in_flight) = self.in_flight.get(&outcome.batch_id) else {
            return Ok(Some(()));
        };
        let active = self.jobs.iter().find(|active| active.context.job.id == outcome.job_id);
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
            self.deactivate(outcome.job_id);
        } else {
            outcome::settle(&mut self.jobs[position], &outcome, in_flight, rand::random());
        }
    }

    pub(super) fn active_jobs(&self) -> Vec<i64> {
        self.jobs.iter().map(|active| active.context.job.id).collect()
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
        // The latch that came with the request may have been taken by a statement that waited.
        if signal::termination_requested() {
            return;
        }
        let now = Instant::now();
        let mut moment = self.next_poll;
        for next in self.jobs.iter().filter_map(ActiveJob::next_moment) {
            // What is due and was not done waits for something in flight to end, which wakes us.
            if next > now || self.in_flight.is_empty() {
                moment = moment.min(next);
            }
        }
        moment = moment.max(self.rest_until);
        // The latch is set by a session that has committed something for us to see.
        if latch::wait(Some(self.wake.as_fd()), moment.saturating_duration_since(now)) {
            self.next_poll = Instant::now();
        }
    }

    /// Ends in order: what is in flight is released, so that nobody suspects it of a crash.
    fn leave(mut self, end: &End) {
        signal::end_without_asking();
        for active in &self.jobs {
            active.context.cancel.raise();
        }
        if !matches!(end, End::Uninstalled) {
            // What the store has already is recorded first.
            let recorded = self.take_outcomes();
            let released = self.transact(batches::release);
            if let Err(error) = recorded.and(released.map(|_| Some(()))) {
                pgrx::log!("vector_backfill leaves batches to the next worker: {}", error.message);
            }
            // Whoever needs a worker from now on starts another one, which waits until this one has left its folder.
            lock::cease_worker(self.database);
        }
        let (namespace, last_look) = (self.namespace, self.last_look);
        // It may start threads on its way, which must not receive Postgres' signals.
        signal::with_signals_blocked(|| self.engine.shutdown(SHUTDOWN_DEADLINE));
        match end {
            End::Asked if leaves_new_work(namespace, last_look) => start_successor(self.database),
            End::Asked => {}
            End::InTheWay => start_successor(self.database),
            End::Uninstalled => make_way(self.database, &self.home, self.server),
        }
        process::exit(0);
    }
}

/// The extension is gone, or was created again: then another worker serves the new one, which clears the folder.
fn make_way(database: Oid, home: &Path, server: i64) {
    let again = transaction::run(Installation::find).ok().flatten().is_some();
    if again {
        lock::cease_worker(database);
        start_successor(database);
    } else {
        home::remove(home, server);
    }
}

/// Whether somebody has enqueued a job and woken this worker when it was ending already. Whoever ended it did not mean
/// that one.
fn leaves_new_work(namespace: Uuid, last_look: Instant) -> bool {
    transaction::run(|| match startup::still_installed(namespace)? {
        Some(installation) => jobs::any_queued_within(&installation, last_look.elapsed()),
        None => Ok(false),
    })
    .unwrap_or(false)
}

/// Its connection waits while somebody holds the database, and fails when that one has dropped it.
fn start_successor(database: Oid) {
    if let Err(error) = process::start_worker(database) {
        pgrx::warning!("{}: {}", error.message, error.hint.unwrap_or_default());
    }
}
