//! Settings that the worker has too, for a while: names are looked up in `pg_catalog` only, and values turn into text in one
//! way.

use std::ffi::CStr;

use pgrx::pg_sys;

/// As in `sql/query/worker_session.sql`.
const SETTINGS: [(&CStr, &CStr); 6] = [
    (c"search_path", c"pg_catalog, pg_temp"),
    (c"datestyle", c"ISO, YMD"),
    (c"intervalstyle", c"postgres"),
    (c"timezone", c"UTC"),
    (c"bytea_output", c"hex"),
    (c"extra_float_digits", c"1"),
];

struct Level(i32);

impl Drop for Level {
    fn drop(&mut self) {
        // SAFETY: ends the level that was begun below, also while an ERROR passes through.
        unsafe { pg_sys::AtEOXact_GUC(false, self.0) };
    }
}

/// Runs the body with these settings; the session's come back after it.
pub(crate) fn with_settings_of_worker<R>(body: impl FnOnce() -> R) -> R {
    // SAFETY: within a transaction; names and values are constants that the settings accept.
    let _level = unsafe {
        let level = Level(pg_sys::NewGUCNestLevel());
        for (name, value) in SETTINGS {
            pg_sys::set_config_option(
                name.as_ptr(),
                value.as_ptr(),
                pg_sys::GucContext::PGC_USERSET,
                pg_sys::GucSource::PGC_S_SESSION,
                pg_sys::GucAction::GUC_ACTION_SAVE,
                true,
                0,
                false,
            );
        }
        level
    };
    body()
}
