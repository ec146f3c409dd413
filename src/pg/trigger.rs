//! A trigger that fires: the table, and the rows before and after.

use std::ffi::CStr;

use pgrx::pg_sys::{self, Datum, Oid};

use crate::error::{Result, VbError};

/// A call of a trigger function.
pub(crate) struct Fired {
    data: *mut pg_sys::TriggerData,
}

/// What a trigger fires for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// A row.
    Row,
    /// A statement.
    Statement,
}

/// A row before or after a change.
#[derive(Clone, Copy)]
pub(crate) struct TriggerRow {
    slot: *mut pg_sys::TupleTableSlot,
}

/// What is known of a column besides its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attribute {
    /// Position in the table, from 1.
    position: i16,
    by_value: bool,
    /// Bytes; -1 for those that say their length themselves, -2 for C strings.
    length: i16,
    /// Its type, or what its domain is made of.
    pub(crate) base_type: Oid,
}

impl Fired {
    /// The trigger that calls this function; an error when something else does.
    ///
    /// # Safety
    /// The argument is that of a function that Postgres calls at this moment; what this gives is not used after its end.
    pub(crate) unsafe fn of(call: pg_sys::FunctionCallInfo) -> Result<Self> {
        // SAFETY: the caller's promise; the context of a call by the trigger manager is a TriggerData.
        unsafe {
            let context = (*call).context;
            if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_TriggerData {
                return Err(VbError::new(
                    pgrx::PgSqlErrorCode::ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
                    "vb_sync_trigger was not called as a trigger",
                )
                .hint("Name it in CREATE TRIGGER … EXECUTE FUNCTION, or call vb_enable_sync."));
            }
            let fired = Self { data: context.cast() };
            if (*fired.data).tg_event & pg_sys::TRIGGER_EVENT_TIMINGMASK != pg_sys::TRIGGER_EVENT_AFTER {
                return Err(VbError::new(
                    pgrx::PgSqlErrorCode::ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
                    format!("trigger {} does not fire AFTER the change", fired.name()),
                )
                .hint("Create it as AFTER INSERT OR UPDATE OR DELETE: others may still change the row before that."));
            }
            Ok(fired)
        }
    }

    /// Its name.
    fn name(&self) -> String {
        // SAFETY: the trigger of a call lives as long as the call.
        let name = unsafe { CStr::from_ptr((*(*self.data).tg_trigger).tgname) };
        name.to_string_lossy().into_owned()
    }

    /// The table whose row or statement it is.
    pub(crate) fn relation(&self) -> Oid {
        // SAFETY: the relation of a call is open as long as the call.
        unsafe { (*(*self.data).tg_relation).rd_id }
    }

    /// An argument in CREATE TRIGGER, from 0, if there are as many.
    pub(crate) fn argument(&self, number: usize) -> Option<String> {
        // SAFETY: as many arguments as it says, each a C string, as long as the call.
        unsafe {
            let trigger = (*self.data).tg_trigger;
            let count = usize::try_from((*trigger).tgnargs).unwrap_or(0);
            (number < count).then(|| {
                CStr::from_ptr(*(*trigger).tgargs.add(number))
                    .to_string_lossy()
                    .into_owned()
            })
        }
    }

    /// What it fires for.
    pub(crate) fn level(&self) -> Level {
        // SAFETY: reads a field of the call.
        match unsafe { (*self.data).tg_event } & pg_sys::TRIGGER_EVENT_ROW {
            0 => Level::Statement,
            _ => Level::Row,
        }
    }

    /// Shows each row before and after the change; one of the two where it is new or gone. False when the statement's rows
    /// are not to be had, since its trigger was created without transition tables.
    pub(crate) fn each_row(
        &self,
        visit: &mut dyn FnMut(Option<TriggerRow>, Option<TriggerRow>) -> Result<()>,
    ) -> Result<bool> {
        match self.level() {
            Level::Row => {
                // SAFETY: reads fields of the call.
                let (first, second, event) = unsafe {
                    let data = &*self.data;
                    (
                        data.tg_trigslot,
                        data.tg_newslot,
                        data.tg_event & pg_sys::TRIGGER_EVENT_OPMASK,
                    )
                };
                let first = TriggerRow { slot: first };
                match event {
                    pg_sys::TRIGGER_EVENT_INSERT => visit(None, Some(first))?,
                    pg_sys::TRIGGER_EVENT_DELETE => visit(Some(first), None)?,
                    _ => visit(Some(first), Some(TriggerRow { slot: second }))?,
                }
                Ok(true)
            }
            Level::Statement => self.each_of_statement(visit),
        }
    }

    fn each_of_statement(
        &self,
        visit: &mut dyn FnMut(Option<TriggerRow>, Option<TriggerRow>) -> Result<()>,
    ) -> Result<bool> {
        // SAFETY: reads fields of the call.
        let (old, new, event) = unsafe {
            let data = &*self.data;
            (
                data.tg_oldtable,
                data.tg_newtable,
                data.tg_event & pg_sys::TRIGGER_EVENT_OPMASK,
            )
        };
        let is_complete = match event {
            pg_sys::TRIGGER_EVENT_INSERT => !new.is_null(),
            pg_sys::TRIGGER_EVENT_DELETE => !old.is_null(),
            pg_sys::TRIGGER_EVENT_UPDATE => !old.is_null() && !new.is_null(),
            _ => false,
        };
        if !is_complete {
            return Ok(false);
        }
        let mut old = TransitionTable::open(old, self.data);
        let mut new = TransitionTable::open(new, self.data);
        loop {
            // Those of an update are in the same order.
            let rows = (
                old.as_mut().and_then(TransitionTable::next),
                new.as_mut().and_then(TransitionTable::next),
            );
            if rows.0.is_none() && rows.1.is_none() {
                return Ok(true);
            }
            visit(rows.0, rows.1)?;
        }
    }
}

/// Rows of a statement before or after it.
struct TransitionTable {
    rows: *mut pg_sys::Tuplestorestate,
    slot: *mut pg_sys::TupleTableSlot,
}

impl TransitionTable {
    fn open(rows: *mut pg_sys::Tuplestorestate, data: *mut pg_sys::TriggerData) -> Option<Self> {
        if rows.is_null() {
            return None;
        }
        // SAFETY: the table lives as long as the call; the slot has the shape of its rows, and is given back on drop.
        unsafe {
            pg_sys::tuplestore_rescan(rows);
            let shape = (*(*data).tg_relation).rd_att;
            let slot = pg_sys::MakeSingleTupleTableSlot(shape, &raw const pg_sys::TTSOpsMinimalTuple);
            Some(Self { rows, slot })
        }
    }

    /// The next row, valid until the one after it.
    fn next(&mut self) -> Option<TriggerRow> {
        // SAFETY: both live as long as this.
        let found = unsafe { pg_sys::tuplestore_gettupleslot(self.rows, true, false, self.slot) };
        found.then_some(TriggerRow { slot: self.slot })
    }
}

impl Drop for TransitionTable {
    fn drop(&mut self) {
        // SAFETY: made by `open` and used by nobody else. Also while an ERROR passes through: that is before the transaction
        // aborts, so the slot is still there and belongs to the same resource owner.
        unsafe { pg_sys::ExecDropSingleTupleTableSlot(self.slot) };
    }
}

impl TriggerRow {
    /// The value of a column; `None` when it is NULL.
    pub(crate) fn value(&self, attribute: &Attribute) -> Option<Datum> {
        let position = attribute.position;
        // SAFETY: the slot holds a row of the table whose column this is; its arrays have as many entries as were asked for.
        unsafe {
            if (*self.slot).tts_nvalid < position {
                pg_sys::slot_getsomeattrs_int(self.slot, i32::from(position));
            }
            let index = (position - 1) as usize;
            (!*(*self.slot).tts_isnull.add(index)).then(|| *(*self.slot).tts_values.add(index))
        }
    }

    /// Whether another row has the same bytes in the column. Values may be equal and differ in their bytes.
    pub(crate) fn has_same(&self, other: &Self, attribute: &Attribute) -> bool {
        match (self.value(attribute), other.value(attribute)) {
            (None, None) => true,
            (Some(one), Some(other)) => attribute.is_same(one, other),
            _ => false,
        }
    }
}

impl Attribute {
    /// The column of this name; `None` when the table has none. Not those that every table has (ctid, say), which a view may
    /// give its own columns the names of: rows of a trigger do not hold them.
    pub(crate) fn of(relation: Oid, name: &str) -> Option<Self> {
        let name = std::ffi::CString::new(name).ok()?;
        // SAFETY: look-ups in the caches of the catalogue within a transaction; the tuple is released before the end.
        unsafe {
            let tuple = pg_sys::SearchSysCacheAttName(relation, name.as_ptr());
            if tuple.is_null() {
                return None;
            }
            let form = pg_sys::GETSTRUCT(tuple).cast::<pg_sys::FormData_pg_attribute>();
            let attribute = ((*form).attnum > 0).then(|| Self {
                position: (*form).attnum,
                by_value: (*form).attbyval,
                length: (*form).attlen,
                base_type: pg_sys::getBaseType((*form).atttypid),
            });
            pg_sys::ReleaseSysCache(tuple);
            attribute
        }
    }

    fn is_same(&self, one: Datum, other: Datum) -> bool {
        if self.by_value {
            return one.value() == other.value();
        }
        let (one, other) = (one.cast_mut_ptr::<u8>(), other.cast_mut_ptr::<u8>());
        let length = |value: *mut u8| match self.length {
            // SAFETY: values of such types begin with their length, those that are kept elsewhere too.
            -1 => unsafe { pgrx::varsize_any(value.cast()) },
            // SAFETY: values of such types end with a zero.
            -2 => unsafe { CStr::from_ptr(value.cast()).count_bytes() },
            length => usize::try_from(length).unwrap_or(0),
        };
        let lengths = (length(one), length(other));
        // SAFETY: both have so many bytes.
        let bytes = unsafe {
            (
                std::slice::from_raw_parts(one, lengths.0),
                std::slice::from_raw_parts(other, lengths.1),
            )
        };
        bytes.0 == bytes.1
    }
}
