//! The functions that Postgres calls by name: those that start our processes, and the trigger.

use pgrx::bgworkers::BackgroundWorker;
use pgrx::pg_sys::Datum;
use pgrx::{FromDatum, pg_guard, pg_sys};

use super::catch::respond;
use super::trigger::Fired;
use crate::sync::trigger;
use crate::worker::{launcher, reader, startup};

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

/// Main function of a reader; its argument is the object identifier of the database, and the look's name comes with it.
#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn vb_reader_main(argument: Datum) {
    // SAFETY: as above.
    if let Some(database) = unsafe { pg_sys::Oid::from_datum(argument, false) } {
        reader::run(database, BackgroundWorker::get_extra());
    }
}

/// The trigger function `vb_sync_trigger()`. Declared by hand: it is called for every row.
///
/// # Safety
/// To be called by Postgres only.
#[pg_guard]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn vb_sync_trigger_wrapper(call: pg_sys::FunctionCallInfo) -> Datum {
    respond(|| {
        // SAFETY: the argument is that of this call, and what is made of it ends with the call.
        let fired = unsafe { Fired::of(call) }?;
        trigger::fire(&fired)
    });
    // What a trigger returns that fires after the change is of no account.
    Datum::from(0)
}

/// Says to Postgres how that function is to be called.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn pg_finfo_vb_sync_trigger_wrapper() -> *const pg_sys::Pg_finfo_record {
    static RECORD: pg_sys::Pg_finfo_record = pg_sys::Pg_finfo_record { api_version: 1 };
    &raw const RECORD
}
