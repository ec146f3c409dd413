//! How a worker ends, and who comes after it.

use std::path::Path;
use std::time::{Duration, Instant};

use pgrx::pg_sys::Oid;
use uuid::Uuid;

use super::home;
use super::main_loop::{End, Worker};
use super::readings::Reading;
use super::search_reports::Clients;
use crate::catalog::installation::{self, Installation};
use crate::catalog::seen::Seen;
use crate::catalog::{batches, new_work};
use crate::pg::{lock, process, signal, transaction};

/// How long the engine may take to end.
const SHUTDOWN_DEADLINE: Duration = Duration::from_millis(700);

impl Worker {
    /// Ends in order: what is in flight is released, so that nobody suspects it of a crash.
    pub(super) fn leave(mut self, end: &End) {
        signal::end_without_asking();
        self.readings.drain(..).for_each(Reading::give_up);
        for active in &self.jobs {
            active.context.cancel.raise();
        }
        if !matches!(end, End::Uninstalled) {
            // What the store has already is recorded first.
            let recorded = self.take_outcomes();
            let recorded = recorded.and_then(|recorded| self.renew_lost(true).map(|()| recorded));
            self.report_usage_now();
            self.report_samples_now(Instant::now());
            self.report_searches(Clients::All);
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
            End::Asked if leaves_new_work(self.database, namespace, &last_look) => start_successor(self.database),
            End::Asked => {}
            End::InTheWay => start_successor(self.database),
            End::Uninstalled => make_way(self.database, &self.home, self.server),
        }
        process::exit(0);
    }
}

/// The extension is gone, or was created again: then another worker serves the new one, which clears the folder. That is
/// asked once more when the lock is free: until then, whoever created it took this worker for his.
fn make_way(database: Oid, home: &Path, server: i64) {
    let is_installed = || transaction::run(Installation::find).ok().flatten().is_some();
    if !is_installed() {
        home::remove(home, server);
    }
    lock::cease_worker(database);
    if is_installed() {
        start_successor(database);
    }
}

/// Whether somebody has enqueued a job or changed rows, or is about to, and took this worker for his when it was ending
/// already. Whoever ended it did not mean that.
fn leaves_new_work(database: Oid, namespace: Uuid, (last_look, seen): &(Instant, Seen)) -> bool {
    if lock::is_work_announced(database) {
        return true;
    }
    let found = installation::transact(namespace, |installation| {
        new_work::any_since(installation, seen, last_look.elapsed())
    });
    found.ok().flatten().unwrap_or(false)
}

/// Its connection waits while somebody holds the database, and fails when that one has dropped it.
fn start_successor(database: Oid) {
    if let Err(error) = process::start_worker(database) {
        pgrx::warning!("{}: {}", error.message, error.hint.unwrap_or_default());
    }
}
