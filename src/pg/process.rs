//! Processes: registering the launcher and workers, what they show of themselves, and how they end.

use std::ffi::CString;
use std::time::Duration;

use pgrx::bgworkers::{BackgroundWorkerBuilder, BackgroundWorkerStatus, DynamicBackgroundWorker};
use pgrx::pg_sys::{self, Datum, Oid};
use pgrx::{IntoDatum, PgSqlErrorCode, pg_guard};

use crate::error::{Result, VbError};

/// Shown as `backend_type` in `pg_stat_activity`.
pub(crate) const WORKER_TYPE: &str = "vector_backfill worker";

/// The same for a reader.
pub(crate) const READER_TYPE: &str = "vector_backfill reader";

/// Whether the library is being loaded by `shared_preload_libraries`.
pub(crate) fn is_preloading() -> bool {
    // SAFETY: reads a flag of this process.
    unsafe { pg_sys::process_shared_preload_libraries_in_progress }
}

/// Registers the launcher with the postmaster; only while preloading.
pub(crate) fn register_launcher() {
    BackgroundWorkerBuilder::new("vector_backfill launcher")
        .set_type("vector_backfill launcher")
        .set_library("vector_backfill")
        .set_function("vb_launcher_main")
        .set_restart_time(Some(Duration::from_secs(5)))
        .enable_spi_access()
        .load();
}

/// Asks the postmaster for a worker of the database. It ends by itself when the database has one already.
pub(crate) fn start_worker(database: Oid) -> Result<()> {
    BackgroundWorkerBuilder::new(&format!("vector_backfill worker for database {}", database.to_u32()))
        .set_type(WORKER_TYPE)
        .set_library("vector_backfill")
        .set_function("vb_worker_main")
        .set_argument(database.into_datum())
        .set_notify_pid(std::process::id() as i32)
        .enable_spi_access()
        .load_dynamic()
        .map(|_handle| ())
        .map_err(|_| {
            VbError::new(
                PgSqlErrorCode::ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
                "no free slot for the background worker of vector_backfill",
            )
            .hint("Raise max_worker_processes and restart the server.")
        })
}

/// A reader that was asked for.
pub(crate) struct ReaderProcess(DynamicBackgroundWorker);

impl ReaderProcess {
    /// Whether it has ended, or will never begin.
    pub(crate) fn has_ended(&self) -> bool {
        !matches!(self.0.pid(), Ok(_) | Err(BackgroundWorkerStatus::NotYetStarted))
    }

    /// Ends it.
    pub(crate) fn end(self) {
        self.0.terminate();
    }
}

/// Asks the postmaster for a reader of the database; this process is woken when it ends. `None` when there is no slot. To be
/// called outside transactions: what it gives points to memory of the present context.
pub(crate) fn start_reader(database: Oid, name: &str) -> Option<ReaderProcess> {
    BackgroundWorkerBuilder::new(&format!("vector_backfill reader for database {}", database.to_u32()))
        .set_type(READER_TYPE)
        .set_library("vector_backfill")
        .set_function("vb_reader_main")
        .set_argument(database.into_datum())
        .set_extra(name)
        .set_notify_pid(std::process::id() as i32)
        .enable_spi_access()
        .load_dynamic()
        .ok()
        .map(ReaderProcess)
}

/// Connects this worker to a database as the bootstrap superuser; ends the process when that is not possible.
pub(crate) fn connect(database: Oid) {
    // SAFETY: called once, at the start of a background worker that asked for a database connection.
    unsafe { pg_sys::BackgroundWorkerInitializeConnectionByOid(database, Oid::INVALID, 0) };
}

/// Connects this worker to the shared catalogues only.
pub(crate) fn connect_to_no_database() {
    // SAFETY: as above; two null names are the documented way to get no database.
    unsafe { pg_sys::BackgroundWorkerInitializeConnection(std::ptr::null(), std::ptr::null(), 0) };
}

/// The database of this process.
pub(crate) fn database() -> Oid {
    // SAFETY: reads a variable of this process.
    unsafe { pg_sys::MyDatabaseId }
}

/// Shows what the process is doing in `pg_stat_activity`.
pub(crate) fn show_activity(running: bool, text: &str) {
    let state = if running {
        pg_sys::BackendState::STATE_RUNNING
    } else {
        pg_sys::BackendState::STATE_IDLE
    };
    if let Ok(text) = CString::new(text) {
        // SAFETY: the text is copied to shared memory during the call.
        unsafe { pg_sys::pgstat_report_activity(state, text.as_ptr()) };
    }
}

/// Whether the server cannot write: it is a standby or still recovering.
pub(crate) fn is_in_recovery() -> bool {
    // SAFETY: reads shared memory.
    unsafe { pg_sys::RecoveryInProgress() }
}

/// Makes the end of this process skip the destructors of libraries: threads may still be inside ONNX Runtime or the
/// vector engine, and a crash on the way out would restart the whole server.
pub(crate) fn skip_destructors_at_exit() {
    // SAFETY: the callback is a plain function that lives as long as the process.
    unsafe { pg_sys::on_proc_exit(Some(leave_at_once), Datum::from(0)) };
}

/// Postgres has already cleaned up shared memory when it calls this.
#[pg_guard]
unsafe extern "C-unwind" fn leave_at_once(code: i32, _argument: Datum) {
    // SAFETY: ends the process; nothing runs after it.
    unsafe { libc::_exit(code) }
}

/// Ends this process in the way Postgres wants it.
pub(crate) fn exit(code: i32) -> ! {
    // SAFETY: on the main thread, with no transaction open.
    unsafe { pg_sys::proc_exit(code) }
}
