//! The launcher: after a start or a crash of the server, gives each database that has the extension its worker again.
//!
//! It is connected to no database, so it stands in nobody's way. Whether a database has the extension it does not know:
//! at first it starts a worker everywhere (one without the extension ends at once), later only where a worker has left
//! its folder.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use pgrx::pg_sys::Oid;

use crate::pg::{databases, latch, lock, process, signal, transaction};
use crate::settings::Settings;

/// How often it looks for databases without a worker.
const INTERVAL: Duration = Duration::from_secs(5);

/// Pause between two starts, so that many databases do not need as many slots for workers.
const STAGGER: Duration = Duration::from_millis(100);

/// The longest pause between two attempts for one database.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Registers the launcher when the library is in `shared_preload_libraries`.
pub(crate) fn register_when_preloaded() {
    if process::is_preloading() {
        process::register_launcher();
    }
}

/// Attempts to start the worker of a database.
#[derive(Debug, Default)]
struct Attempts {
    count: u32,
    not_before: Option<Instant>,
}

/// Runs the launcher until the server ends.
pub(crate) fn run() {
    signal::end_at_once_when_asked();
    process::connect_to_no_database();
    let mut attempts: HashMap<Oid, Attempts> = HashMap::new();
    let mut first = true;
    loop {
        signal::check_interrupts();
        signal::reload_settings_when_asked();
        if let Ok(databases) = transaction::run(|| Ok(databases::connectable())) {
            attempts.retain(|database, _| databases.contains(database));
            for database in databases {
                signal::check_interrupts();
                if lock::has_worker(database) {
                    attempts.remove(&database);
                } else if first || has_home(database) {
                    start_when_due(database, attempts.entry(database).or_default());
                    // Where there is nothing to serve, the worker ends at once and leaves its slot to the next.
                    latch::wait(None, STAGGER);
                }
            }
        }
        first = false;
        latch::wait(None, INTERVAL);
    }
}

/// Whether a worker has served the database before.
fn has_home(database: Oid) -> bool {
    Settings::current().database_directory(database).is_dir()
}

/// Starts a worker, with growing pauses where it does not stay.
fn start_when_due(database: Oid, attempts: &mut Attempts) {
    let now = Instant::now();
    if attempts.not_before.is_some_and(|moment| now < moment) {
        return;
    }
    let pause = INTERVAL.saturating_mul(1 << attempts.count.min(10)).min(LONGEST_PAUSE);
    attempts.count += 1;
    attempts.not_before = Some(now + pause);
    if let Err(error) = process::start_worker(database) {
        pgrx::warning!("{}: {}", error.message, error.hint.unwrap_or_default());
    }
}
