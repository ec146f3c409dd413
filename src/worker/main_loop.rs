//! The worker's main loop: take outcomes, look for jobs, hand out batches, wait.
//!
//! What it does with jobs is in [`super::watch_jobs`], with batches in [`super::hand_out`] and [`super::take_outcomes`], how
//! it ends in [`super::leave`].

use std::collections::{HashMap, HashSet};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use pgrx::pg_sys::Oid;
use uuid::Uuid;
use vb_engine::batch::Outcome;
use vb_engine::pipeline::engine::Engine;
use vb_engine::policy::fairness::Turns;
use vb_engine::policy::pacing::Pacing;
use vb_engine::store::qdrant::QdrantOptions;

use super::active_job::ActiveJob;
use super::dispatch::InFlight;
use super::follow::Follow;
use super::freshness::Freshness;
use super::home::Mark;
use super::log;
use super::readings::Reading;
use super::samples::Samples;
use super::store_upkeep::StoreUpkeep;
use super::troubles::Troubles;
use super::usage_reports::UsageReports;
use crate::catalog::hours::Closed;
use crate::catalog::installation::{self, Installation};
use crate::catalog::seen::Seen;
use crate::error::{Result, VbError};
use crate::pg::catch::catching;
use crate::pg::{latch, lock, memory, process, signal};
use crate::settings::Settings;

/// Pauses after rounds that failed: the first, and the longest of those that follow.
const FIRST_REST: Duration = Duration::from_millis(250);
const LONGEST_REST: Duration = Duration::from_secs(30);

/// The worker of one database.
pub(crate) struct Worker {
    pub(super) database: Oid,
    pub(super) namespace: Uuid,
    /// System identifier of the server.
    pub(super) server: i64,
    /// Its folder, which the settings named when it started.
    pub(super) home: PathBuf,
    pub(super) settings: Settings,
    /// The Qdrant server it works with, or why it works with none.
    qdrant: std::result::Result<QdrantOptions, String>,
    /// Whether its database is no copy of another one.
    is_original: bool,
    pub(super) engine: Engine,
    pub(super) wake: UnixStream,
    pub(super) jobs: Vec<ActiveJob>,
    pub(super) turns: Turns,
    pub(super) turns_of_changes: Turns,
    pub(super) in_flight: HashMap<i64, InFlight>,
    /// Looks that readers make.
    pub(super) readings: Vec<Reading>,
    /// Jobs that wait for a reader.
    pub(super) awaiting_reader: HashSet<i64>,
    /// Jobs whose source this process looks at next, since a reader could not.
    pub(super) look_here: HashSet<i64>,
    pub(super) unrecorded: Vec<Outcome>,
    /// Jobs whose outcomes cannot be recorded at the moment, and until when none is tried.
    pub(super) unrecordable: HashMap<i64, Instant>,
    /// Whose hours are closed.
    pub(super) closed: Closed,
    /// How many records a second may be begun.
    pub(super) pacing: Pacing,
    /// Providers that were called in vain lately.
    pub(super) troubles: Troubles,
    /// What providers did and is not written down yet.
    pub(super) usage: UsageReports,
    /// What jobs did and is not written down yet.
    pub(super) samples: Samples,
    /// What is being removed from stores, and what is known of those that do not answer.
    pub(super) upkeep: StoreUpkeep,
    /// Jobs whose rows somebody else holds locked, and until when they are left alone.
    pub(super) locked: HashMap<i64, Instant>,
    /// Changes that were taken over, and those that are to be.
    pub(super) follow: Follow,
    /// How long changes take.
    pub(super) freshness: Freshness,
    pub(super) next_poll: Instant,
    /// When the last look at the jobs was, and what it saw.
    pub(super) last_look: (Instant, Seen),
    pub(super) next_housekeeping: Instant,
    /// Rounds in a row that failed, and until when nothing new is begun for that.
    failures: u32,
    rest_until: Instant,
}

/// Why the main loop ends.
pub(super) enum End {
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
        (Mark { installation, server }, is_original): (Mark, bool),
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
            qdrant: settings.qdrant(is_original),
            is_original,
            settings,
            engine,
            wake,
            jobs: Vec::new(),
            turns: Turns::default(),
            turns_of_changes: Turns::default(),
            in_flight: HashMap::new(),
            readings: Vec::new(),
            awaiting_reader: HashSet::new(),
            look_here: HashSet::new(),
            unrecorded: Vec::new(),
            unrecordable: HashMap::new(),
            closed: Closed::default(),
            pacing: Pacing::default(),
            troubles: Troubles::default(),
            usage: UsageReports::new(now),
            samples: Samples::new(now),
            upkeep: StoreUpkeep::default(),
            locked: HashMap::new(),
            follow: Follow::new(now),
            freshness: Freshness::default(),
            next_poll: now,
            last_look: (now, Seen::nothing()),
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
            let was_busy = !self.is_idle();
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

    /// Whether the settings name another folder or another Qdrant server than those that this worker opened.
    fn is_elsewhere(&self) -> bool {
        self.settings.database_directory(self.database) != self.home
            || self.settings.qdrant(self.is_original) != self.qdrant
    }

    /// What an idle worker does not need, others may have.
    fn rest(&self, was_busy: bool) {
        if was_busy && self.is_idle() {
            memory::give_back();
        }
    }

    /// One round; `None` when the extension is gone.
    fn turn(&mut self) -> Result<Option<()>> {
        if self.take_outcomes()?.is_none() {
            return Ok(None);
        }
        self.renew_lost(true)?;
        self.take_looks()?;
        self.take_readings();
        if signal::termination_requested() {
            return Ok(Some(()));
        }
        let rested = Instant::now() >= self.rest_until;
        if Instant::now() >= self.next_poll {
            self.settings = Settings::current();
            self.is_original = self.transact(Installation::is_original)?.unwrap_or(self.is_original);
            let Some(interval) = self.poll()? else { return Ok(None) };
            self.next_poll = Instant::now() + interval;
        }
        self.report_usage();
        self.report_samples();
        if rested && !self.settings.paused {
            self.follow_changes()?;
            self.sweep()?;
            self.hand_out()?;
            self.failures = 0;
        }
        Ok(Some(()))
    }

    /// Runs the body in a transaction with the extension as it is; `None` when it is gone.
    pub(super) fn transact<R>(&self, body: impl FnOnce(&Installation) -> Result<R>) -> Result<Option<R>> {
        let done = installation::transact(self.namespace, |installation| {
            lock::stay_worker_until_the_end(self.database);
            body(installation)
        });
        // What code of others has dropped meanwhile is taken again before anybody else can have it.
        lock::stay_worker(self.database);
        done
    }

    pub(super) fn active_jobs(&self) -> Vec<i64> {
        self.jobs.iter().map(|active| active.context.job.id).collect()
    }

    /// Whether it has nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        self.jobs.is_empty() && self.in_flight.is_empty() && self.readings.is_empty()
    }

    fn show_activity(&self) {
        if self.is_idle() {
            return process::show_activity(false, "jobs");
        }
        let mut text = format!("{} batches of {} jobs in flight", self.in_flight.len(), self.jobs.len());
        if !self.readings.is_empty() {
            let jobs: Vec<String> = self.readings.iter().map(|reading| reading.job().to_string()).collect();
            text = format!("looking for work of job {}; {text}", jobs.join(", "));
        }
        process::show_activity(true, &text);
    }

    /// When the next look is due at what users and triggers have written.
    pub(super) fn next_look(&self) -> Instant {
        if self.settings.paused {
            return self.next_poll;
        }
        self.next_poll.min(self.follow.next())
    }

    fn wait(&mut self) {
        // The latch that came with the request may have been taken by a statement that waited.
        if signal::termination_requested() {
            return;
        }
        let now = Instant::now();
        let mut moment = self.next_look();
        for active in self
            .jobs
            .iter()
            .filter(|active| !self.settings.paused && !self.is_closed(active))
        {
            let Some(next) = active.next_moment(now) else { continue };
            // What is due and was not done waits for something in flight or a reader to end, which wakes us, or for its turn.
            let waits = !self.in_flight.is_empty() || self.awaiting_reader.contains(&active.context.job.id);
            if next > now || !waits {
                moment = moment.min(next.max(now + self.pace_of(active)));
            }
        }
        moment = moment.max(self.rest_until);
        // The latch is set by a session that has committed something for us to see.
        if latch::wait(Some(self.wake.as_fd()), moment.saturating_duration_since(now)) {
            self.next_poll = Instant::now();
            self.look_for_changes();
        }
    }
}
