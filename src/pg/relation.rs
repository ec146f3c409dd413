//! Looking up tables in the caches of the catalogue, which costs next to nothing, and keeping them what they are.

use std::ffi::{CStr, c_char};

use pgrx::pg_sys::{self, Oid};

/// The schema that a table is in now; `None` when it is gone.
pub(crate) fn schema_of(relation: Oid) -> Option<String> {
    // SAFETY: look-ups within a transaction; the name is a copy in the memory of the present context.
    unsafe {
        let schema = pg_sys::get_rel_namespace(relation);
        if schema == Oid::INVALID {
            return None;
        }
        copied(pg_sys::get_namespace_name(schema))
    }
}

/// Keeps a table from being renamed, moved or dropped until the end of the transaction. Its schema and name, as they are from
/// now on; `None` when it is gone. Waits like any query for somebody who has locked it.
pub(crate) fn keep(relation: Oid) -> Option<(String, String)> {
    // SAFETY: in a transaction on the main thread. An interrupt or a time-out leaves as an ERROR, as from a query.
    unsafe { pg_sys::LockRelationOid(relation, pg_sys::AccessShareLock as i32) };
    // SAFETY: a look-up within a transaction; the name is a copy in the memory of the present context.
    let name = unsafe { copied(pg_sys::get_rel_name(relation)) };
    schema_of(relation).zip(name)
}

/// # Safety
///
/// The name is null or ends with a zero byte.
unsafe fn copied(name: *const c_char) -> Option<String> {
    // SAFETY: as the caller promises.
    (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned())
}
