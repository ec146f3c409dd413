//! Looking up tables in the caches of the catalogue, which costs next to nothing.

use std::ffi::CStr;

use pgrx::pg_sys::{self, Oid};

/// The schema that a table is in now; `None` when it is gone.
pub(crate) fn schema_of(relation: Oid) -> Option<String> {
    // SAFETY: look-ups within a transaction; the name is a copy in the memory of the present context.
    unsafe {
        let schema = pg_sys::get_rel_namespace(relation);
        if schema == Oid::INVALID {
            return None;
        }
        let name = pg_sys::get_namespace_name(schema);
        (!name.is_null()).then(|| CStr::from_ptr(name).to_string_lossy().into_owned())
    }
}
