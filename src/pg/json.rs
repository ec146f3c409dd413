//! Arguments of type jsonb. The library's own type panics at numbers that no machine type holds, before we could say whose
//! they are.

use std::ffi::CStr;

use pgrx::{AnyElement, direct_function_call, pg_sys};
use serde_json::Value;

use crate::error::{Result, VbError};

/// The text of an argument of this name.
pub(crate) fn text(argument: AnyElement, name: &str) -> Result<String> {
    if argument.oid() != pg_sys::JSONBOID {
        return Err(VbError::internal(format!("{name} is not of type jsonb")));
    }
    // SAFETY: a jsonb that is not NULL, which the function takes and gives a C string for, in the memory of the call.
    let text = unsafe { direct_function_call::<&CStr>(pg_sys::jsonb_out, &[Some(argument.datum())]) };
    let text = text.ok_or_else(|| VbError::internal(format!("{name} has no text")))?;
    Ok(text.to_string_lossy().into_owned())
}

/// The value of an argument of this name.
pub(crate) fn value(argument: AnyElement, name: &str) -> Result<Value> {
    serde_json::from_str(&text(argument, name)?).map_err(|error| {
        VbError::invalid(format!("{name} cannot be read: {error}")).hint("Numbers have to fit into double precision.")
    })
}
