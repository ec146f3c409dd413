//! How a value is written as text: what a cast to `text` gives, without a query.

use std::ffi::CStr;

use pgrx::FromDatum;
use pgrx::pg_sys::{self, Datum, Oid};

/// The way from a value of a type to text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TextOf {
    way: Way,
    /// Whether settings of the session have a say in it.
    depends_on_settings: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The value is a text.
    Same,
    /// A function of the catalogue gives one, which has so many parameters.
    Cast(Oid, i32),
    /// What the value looks like when it is shown.
    Output(Oid),
}

/// Types that look the same under all settings and that keys are usually made of.
const PLAIN: [Oid; 6] = [
    pg_sys::INT2OID,
    pg_sys::INT4OID,
    pg_sys::INT8OID,
    pg_sys::TEXTOID,
    pg_sys::VARCHAROID,
    pg_sys::UUIDOID,
];

impl TextOf {
    /// For values of a type that is no domain.
    pub(crate) fn of(base_type: Oid) -> Self {
        let mut function = Oid::INVALID;
        let mut output = Oid::INVALID;
        let mut is_varlena = false;
        // SAFETY: look-ups in the catalogue within a transaction; the pointers are to live locals.
        let way = unsafe {
            match pg_sys::find_coercion_pathway(
                pg_sys::TEXTOID,
                base_type,
                pg_sys::CoercionContext::COERCION_EXPLICIT,
                &raw mut function,
            ) {
                pg_sys::CoercionPathType::COERCION_PATH_RELABELTYPE => Way::Same,
                pg_sys::CoercionPathType::COERCION_PATH_FUNC => Way::Cast(function, pg_sys::get_func_nargs(function)),
                _ => {
                    pg_sys::getTypeOutputInfo(base_type, &raw mut output, &raw mut is_varlena);
                    Way::Output(output)
                }
            }
        };
        let way = if base_type == pg_sys::TEXTOID { Way::Same } else { way };
        Self {
            way,
            depends_on_settings: !PLAIN.contains(&base_type),
        }
    }

    /// Whether [`super::pinned`] settings are needed to write it as the worker does.
    pub(crate) fn depends_on_settings(&self) -> bool {
        self.depends_on_settings
    }

    /// The text of a value, which has to be of the type that this was made for.
    pub(crate) fn write(&self, value: Datum) -> String {
        // SAFETY: the value is of that type, as callers see to; the results are in the memory of the present context.
        unsafe {
            match self.way {
                Way::Same => String::from_datum(value, false).unwrap_or_default(),
                Way::Cast(function, parameters) => {
                    let collation = pg_sys::DEFAULT_COLLATION_OID;
                    // The type modifier, of which there is none, and that somebody asked for the cast.
                    let (modifier, explicit) = (Datum::from(-1_i32), Datum::from(true));
                    let text = match parameters {
                        1 => pg_sys::OidFunctionCall1Coll(function, collation, value),
                        2 => pg_sys::OidFunctionCall2Coll(function, collation, value, modifier),
                        _ => pg_sys::OidFunctionCall3Coll(function, collation, value, modifier, explicit),
                    };
                    String::from_datum(text, false).unwrap_or_default()
                }
                Way::Output(function) => {
                    let text = pg_sys::OidOutputFunctionCall(function, value);
                    let written = CStr::from_ptr(text).to_string_lossy().into_owned();
                    pg_sys::pfree(text.cast());
                    written
                }
            }
        }
    }
}
