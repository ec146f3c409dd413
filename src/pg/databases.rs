//! The databases of the cluster, for a process that is connected to none.

use pgrx::pg_sys::{self, Oid};

/// Databases that accept connections and are no templates. Needs an open transaction.
pub(crate) fn connectable() -> Vec<Oid> {
    let mut found = Vec::new();
    // SAFETY: a scan of a shared catalogue under AccessShareLock in the current transaction, as the autovacuum
    // launcher does it; each tuple is read before the next is fetched.
    unsafe {
        let relation = pg_sys::table_open(pg_sys::DatabaseRelationId, pg_sys::AccessShareLock as i32);
        let scan = pg_sys::table_beginscan_catalog(relation, 0, std::ptr::null_mut());
        loop {
            let tuple = pg_sys::heap_getnext(scan, pg_sys::ScanDirection::ForwardScanDirection);
            if tuple.is_null() {
                break;
            }
            let database = pg_sys::GETSTRUCT(tuple).cast::<pg_sys::FormData_pg_database>();
            if (*database).datallowconn && !(*database).datistemplate {
                found.push((*database).oid);
            }
        }
        pg_sys::table_endscan(scan);
        pg_sys::table_close(relation, pg_sys::AccessShareLock as i32);
    }
    found
}
