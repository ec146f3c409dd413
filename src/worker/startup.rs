//! From a fresh process to a worker that is ready: connection, lock, session settings, engine.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use pgrx::pg_sys::Oid;
use vb_engine::pipeline::config::{EngineConfig, StartError, StoresConfig};
use vb_engine::pipeline::engine::Engine;
use vb_engine::store::place::StoreKind;

use super::home::{self, Mark};
use super::look_order;
use super::main_loop::Worker;
use crate::catalog::batches;
use crate::catalog::collections;
use crate::catalog::installation::Installation;
use crate::catalog::lost::{self, Lost};
use crate::error::{Result, VbError};
use crate::pg::{latch, lock, process, signal, spi, transaction};
use crate::settings::Settings;

/// How long a worker that is ending may hold the folder, and how often that is looked at.
const PREDECESSOR_PATIENCE: Duration = Duration::from_secs(3);
const PREDECESSOR_STEP: Duration = Duration::from_millis(50);

/// How long a local model may go unused before its memory is given back.
const PROVIDER_IDLE: Duration = Duration::from_secs(300);

/// Runs the worker of a database until it is asked to end or has nothing to serve. Never returns to its caller with the
/// engine's threads alive.
pub(crate) fn run(database: Oid) {
    process::skip_destructors_at_exit();
    signal::end_in_order_when_asked();
    process::connect(database);
    if !lock::become_worker(database) {
        return;
    }
    match ready(database) {
        Ok(Some(worker)) => worker.run(),
        Ok(None) => {}
        Err(error) => {
            let hint = error
                .hint
                .as_deref()
                .unwrap_or("The launcher, or the next call, tries again.");
            pgrx::warning!(
                "the worker of vector_backfill could not start: {}: {hint}",
                error.message
            );
        }
    }
}

/// A worker with a running engine; `None` when the extension is not installed here.
fn ready(database: Oid) -> Result<Option<Worker>> {
    let (server, known) = transaction::run(|| {
        spi::run(
            include_str!("../../sql/query/worker_session.sql"),
            &[process::WORKER_TYPE.into(), "read committed".into()],
        )?;
        let server = spi::read_first(include_str!("../../sql/query/server.sql"), &[], |row| row.get::<i64>(1))?
            .ok_or_else(|| VbError::internal("the server has no system identifier"))?;
        let Some(installation) = Installation::find()? else {
            return Ok((server, None));
        };
        installation.begin()?;
        installation.separate()?;
        let is_original = installation.is_original()?;
        Ok((server, installation.id()?.map(|id| (id, is_original))))
    })?;
    let settings = Settings::current();
    let Some((namespace, is_original)) = known else {
        home::remove(&settings.database_directory(database), server);
        return Ok(None);
    };
    let databases =
        transaction::run(|| spi::read(include_str!("../../sql/query/databases.sql"), &[], |row| row.get(1)))?;
    home::remove_orphans(&settings, server, &databases);
    let mark = Mark {
        installation: namespace,
        server,
    };
    let home = home::prepare(&settings, database, &mark)?;
    let (engine, wake) = start_engine(&settings, database, &home, is_original)?;
    // Only now is it certain that no other worker serves this database.
    look_order::prepare(&home);
    let collections = transaction::run(|| {
        let installation = Installation::require()?;
        batches::inherit(&installation)?;
        collections::names(&installation)
    })?;
    // What is being copied here is not recorded before all of it is.
    let missing = if lock::has_mover(database) {
        Vec::new()
    } else {
        engine.drop_all_but(&collections)
    };
    transaction::run(|| {
        let installation = Installation::require()?;
        // The folder of the embedded store is in no base backup.
        lost::renew(&installation, StoreKind::Embedded, &missing, Lost::Building)
    })?;
    Ok(Some(Worker::new(
        database,
        (mark, is_original),
        settings,
        engine,
        wake,
        Instant::now(),
    )))
}

/// Starts the engine. A worker that has just made room may hold the folder for a moment more.
fn start_engine(settings: &Settings, database: Oid, home: &Path, is_original: bool) -> Result<(Engine, UnixStream)> {
    let deadline = Instant::now() + PREDECESSOR_PATIENCE;
    loop {
        let (wake, engine_end) = UnixStream::pair()
            .and_then(nonblocking)
            .map_err(|error| VbError::internal(format!("could not make a socket pair: {error}")))?;
        let config = EngineConfig {
            stores: StoresConfig {
                directory: home.to_owned(),
                qdrant: settings.qdrant(is_original),
            },
            socket: settings.socket(database),
            wake: engine_end,
            nice: settings.nice,
            request_timeout: settings.request_timeout,
            provider_idle: PROVIDER_IDLE,
            log_level: log::LevelFilter::Info,
        };
        // The engine's threads inherit the mask: Postgres' signals must reach the main thread only.
        match signal::with_signals_blocked(|| Engine::start(config)) {
            Ok(engine) => return Ok((engine, wake)),
            Err(error) if error.is_in_use() && Instant::now() < deadline && !signal::termination_requested() => {
                latch::wait(None, PREDECESSOR_STEP);
            }
            Err(error) => return Err(start_error(error)),
        }
    }
}

fn nonblocking(pair: (UnixStream, UnixStream)) -> io::Result<(UnixStream, UnixStream)> {
    pair.0.set_nonblocking(true)?;
    pair.1.set_nonblocking(true)?;
    Ok(pair)
}

fn start_error(error: StartError) -> VbError {
    let hint = error.hint();
    let error = VbError::wrong_state(error.to_string());
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
