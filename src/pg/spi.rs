//! Queries on the main thread: statements with parameters, rows mapped to values.

use std::ffi::{CStr, CString};

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys;
use pgrx::spi::{OwnedPreparedStatement, Spi, SpiHeapTupleData, SpiTupleTable};
use pgrx::{FromDatum, IntoDatum, PgBuiltInOids, PgOid};

use crate::error::{Result, VbError};

/// One row of a result.
pub(crate) struct Row<'a>(SpiHeapTupleData<'a>);

impl Row<'_> {
    /// The value of a column (from 1), which may be NULL.
    pub(crate) fn optional<T: FromDatum + IntoDatum>(&self, column: usize) -> Result<Option<T>> {
        Ok(self.0.get::<T>(column)?)
    }

    /// The value of a column (from 1) that is never NULL.
    pub(crate) fn get<T: FromDatum + IntoDatum>(&self, column: usize) -> Result<T> {
        self.optional(column)?
            .ok_or_else(|| VbError::internal(format!("column {column} of a query is NULL")))
    }
}

fn map_rows<T>(table: SpiTupleTable<'_>, mut map: impl FnMut(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
    table.map(|tuple| map(&Row(tuple))).collect()
}

/// Rows of a query that changes nothing. Sees everything committed until now, also within a function that waits, and
/// takes no transaction id: that would cost a commit record each time, and there is none to be had on a standby.
pub(crate) fn read<T>(
    sql: &str,
    arguments: &[DatumWithOid<'_>],
    map: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    seeing_now(|| Spi::connect(|client| map_rows(client.select(sql, None, arguments)?, map)))
}

/// Runs the body such that its queries, cursors too, see everything committed until now, also within a function that has
/// waited. Where the transaction keeps to the snapshot of its beginning, they see that one.
pub(crate) fn seeing_now<R>(body: impl FnOnce() -> R) -> R {
    // SAFETY: in a transaction on the main thread. The snapshot is taken off below; after an ERROR, the end of the
    // transaction or subtransaction does it.
    unsafe { pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot()) };
    let result = body();
    // SAFETY: takes off what was put on above; SPI has taken off its own.
    unsafe { pg_sys::PopActiveSnapshot() };
    result
}

/// The first row of a query that changes nothing, if it gives one.
pub(crate) fn read_first<T>(
    sql: &str,
    arguments: &[DatumWithOid<'_>],
    map: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Option<T>> {
    Ok(read(sql, arguments, map)?.into_iter().next())
}

/// The text that a query gives of these numbers. It changes nothing and sees everything committed until now, also where the
/// transaction keeps to the snapshot of its beginning.
pub(crate) fn latest_text(sql: &str, numbers: &[i64]) -> Result<Option<String>> {
    let sql = CString::new(sql).map_err(|_| VbError::internal("a statement has a zero byte"))?;
    let mut types = [pg_sys::INT8ARRAYOID];
    Spi::connect(|_| {
        let mut values = [numbers
            .to_vec()
            .into_datum()
            .ok_or_else(|| VbError::internal("an array is NULL"))?];
        // SAFETY: in a transaction on the main thread, connected to SPI; one parameter with its type, not NULL. A statement
        // that is read only keeps to the snapshot put on here, which pgrx' own functions do not once the transaction has a
        // number. The result is read before SPI frees it; the snapshot is taken off below, or by the end of the transaction.
        unsafe {
            pg_sys::PushActiveSnapshot(pg_sys::GetLatestSnapshot());
            let status = pg_sys::SPI_execute_with_args(
                sql.as_ptr(),
                1,
                types.as_mut_ptr(),
                values.as_mut_ptr(),
                std::ptr::null(),
                true,
                1,
            );
            let mut found = None;
            if status == pg_sys::SPI_OK_SELECT as i32 && pg_sys::SPI_processed > 0 {
                let table = pg_sys::SPI_tuptable;
                let text = pg_sys::SPI_getvalue(*(*table).vals, (*table).tupdesc, 1);
                if !text.is_null() {
                    found = Some(CStr::from_ptr(text).to_string_lossy().into_owned());
                }
            }
            pg_sys::PopActiveSnapshot();
            Ok(found)
        }
    })
}

/// Rows of a statement that sees everything committed until now, also within a function that waits.
pub(crate) fn rows<T>(
    sql: &str,
    arguments: &[DatumWithOid<'_>],
    map: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    Spi::connect_mut(|client| map_rows(client.update(sql, None, arguments)?, map))
}

/// The first row of a statement, if it gives one.
pub(crate) fn first<T>(
    sql: &str,
    arguments: &[DatumWithOid<'_>],
    map: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Option<T>> {
    Ok(rows(sql, arguments, map)?.into_iter().next())
}

/// Runs a statement; returns the number of rows it changed.
pub(crate) fn run(sql: &str, arguments: &[DatumWithOid<'_>]) -> Result<u64> {
    Spi::connect_mut(|client| Ok(client.update(sql, None, arguments)?.len() as u64))
}

/// A statement whose plan a session keeps, since it runs often.
pub(crate) struct Kept {
    sql: String,
    statement: OwnedPreparedStatement,
}

impl Kept {
    /// Makes a plan with parameters of these types.
    pub(crate) fn plan(sql: String, types: &[PgBuiltInOids]) -> Result<Self> {
        let types: Vec<PgOid> = types.iter().map(|of| PgOid::BuiltIn(*of)).collect();
        let statement = Spi::connect_mut(|client| Ok::<_, VbError>(client.prepare_mut(sql.as_str(), &types)?.keep()))?;
        Ok(Self { sql, statement })
    }

    /// Whether it is this statement.
    pub(crate) fn is(&self, sql: &str) -> bool {
        self.sql == sql
    }

    /// Runs it; returns the number of rows it changed.
    pub(crate) fn run(&self, arguments: &[DatumWithOid<'_>]) -> Result<u64> {
        Spi::connect_mut(|client| Ok(client.update(&self.statement, None, arguments)?.len() as u64))
    }
}

/// A result that is read page by page within one transaction, so that its size does not matter. It is closed when it is
/// dropped: code of other people that runs later in the transaction could read on in it.
pub(crate) struct Cursor {
    name: String,
}

impl Cursor {
    /// Opens a cursor for a query; it sees the snapshot of this moment.
    pub(crate) fn open(sql: &str, arguments: &[DatumWithOid<'_>]) -> Result<Self> {
        let name = Spi::connect(|client| Ok::<_, VbError>(client.try_open_cursor(sql, arguments)?.detach_into_name()))?;
        Ok(Self { name })
    }

    /// The next rows, none at the end. Each page is a session of its own, so that its memory is given back.
    pub(crate) fn fetch<T>(&mut self, count: usize, map: impl FnMut(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
        Spi::connect(|client| {
            let mut cursor = client.find_cursor(&self.name)?;
            let page = cursor
                .fetch(count as libc::c_long)
                .map_err(VbError::from)
                .and_then(|table| map_rows(table, map));
            // Left open for the next page.
            self.name = cursor.detach_into_name();
            page
        })
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        let Ok(name) = CString::new(self.name.as_str()) else {
            return;
        };
        // SAFETY: on the main thread; a portal is looked up by name and is gone with the (sub)transaction that made it. One
        // that failed or is being run is left to the end of that.
        unsafe {
            let portal = pg_sys::GetPortalByName(name.as_ptr());
            if !portal.is_null() && (*portal).status == pg_sys::PortalStatus::PORTAL_READY {
                pg_sys::SPI_cursor_close(portal);
            }
        }
    }
}
