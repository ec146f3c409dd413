//! Whether the database has a worker, starting it, and waking it.

use std::time::{Duration, Instant};

use pgrx::pg_sys::Oid;

use crate::error::Result;
use crate::pg::lock::{self, WORKER_KEY};
use crate::pg::{latch, process, signal, spi, transaction};

/// How long a session that starts a worker waits until it is there. It takes some 30 ms; others are kept from starting
/// one more meanwhile.
const START_PATIENCE: Duration = Duration::from_secs(1);

/// How often that session looks.
const START_STEP: Duration = Duration::from_millis(10);

/// The process that serves this database, if there is one.
pub(crate) fn worker_pid() -> Result<Option<i32>> {
    spi::read_first(
        include_str!("../../../sql/query/worker_pid.sql"),
        &[process::database().into(), Oid::from(WORKER_KEY).into()],
        |row| row.get(1),
    )
}

/// Sees to it that a worker serves this database. It may still be on its way when this returns; an error when the
/// server has no slot for it.
pub(crate) fn ensure() -> Result<Option<i32>> {
    let database = process::database();
    if let Some(pid) = worker_pid()? {
        return Ok(Some(pid));
    }
    if !lock::begin_starting(database) {
        return Ok(None);
    }
    let started = process::start_worker(database).and_then(|()| wait_for_start());
    lock::end_starting(database);
    started
}

/// There is work once the present transaction has committed: the worker wakes then; without one, it is started.
pub(crate) fn announce_work() -> Result<()> {
    // First, so that one that is ending knows of this work before it commits.
    lock::announce_work(process::database());
    // A worker that is on its way looks for work by itself.
    wake_at_commit(ensure()?);
    Ok(())
}

/// There is less to do once the present transaction has committed: the worker wakes then, if there is one.
pub(crate) fn announce_change() -> Result<()> {
    wake_at_commit(worker_pid()?);
    Ok(())
}

fn wake_at_commit(worker: Option<i32>) {
    if let Some(pid) = worker {
        transaction::after_commit(move || latch::wake_process(pid));
    }
}

fn wait_for_start() -> Result<Option<i32>> {
    let deadline = Instant::now() + START_PATIENCE;
    loop {
        latch::wait(None, START_STEP);
        signal::check_interrupts();
        if let Some(pid) = worker_pid()? {
            return Ok(Some(pid));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
    }
}
