//! The functions that Postgres calls by name when it starts our processes.

use pgrx::pg_sys::Datum;
use pgrx::{FromDatum, pg_guard, pg_sys};

use crate::worker::{launcher, startup};

/// Main function of the launcher.
#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn vb_launcher_main(_argument: Datum) {
    launcher::run();
}

/// Main function of a worker; its argument is the object identifier of the database.
#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn vb_worker_main(argument: Datum) {
    // SAFETY: the argument was made from an Oid when the worker was registered and is never null.
    if let Some(database) = unsafe { pg_sys::Oid::from_datum(argument, false) } {
        startup::run(database);
    }
}
