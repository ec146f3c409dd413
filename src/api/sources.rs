//! Saying how tables are embedded.

use std::ffi::CStr;

use pgrx::datum::Array;
use pgrx::pg_extern;
use pgrx::pg_sys::Oid;

use super::{on_primary, required};
use crate::catalog::source_settings::{self, SourceSettings};
use crate::error::{Result, VbError};
use crate::pg::catch::respond;

// A value of type name is a C string in 64 bytes.
#[pg_extern(sql = false)]
#[expect(clippy::too_many_arguments, reason = "the SQL function has as many")]
fn vb_configure_source(
    source: Option<Oid>,
    client_column: Option<&CStr>,
    key_columns: Option<Array<'_, &CStr>>,
    active_column: Option<&CStr>,
    order_column: Option<&CStr>,
    vector_type: Option<String>,
    text_columns: Option<Array<'_, &CStr>>,
    template: Option<String>,
    chunk_tokens: Option<i32>,
    chunk_overlap: Option<i32>,
    priority: Option<i32>,
    payload_columns: Option<Array<'_, &CStr>>,
) {
    respond(|| {
        let settings = SourceSettings {
            client_column: client_column.map(text),
            key_columns: key_columns.map(|names| texts(&names, "key_columns")).transpose()?,
            active_column: active_column.map(text),
            order_column: order_column.map(text),
            payload_columns: payload_columns
                .map(|names| texts(&names, "payload_columns"))
                .transpose()?,
            text_columns: text_columns.map(|names| texts(&names, "text_columns")).transpose()?,
            template,
            chunk_tokens,
            chunk_overlap,
        };
        source_settings::configure(
            &on_primary()?,
            required(source, "source")?,
            &required(vector_type, "vector_type")?,
            &settings,
            priority,
        )
    })
}

fn text(name: &CStr) -> String {
    name.to_string_lossy().into_owned()
}

fn texts(names: &Array<'_, &CStr>, argument: &str) -> Result<Vec<String>> {
    names
        .iter()
        .map(|name| {
            name.map(text).ok_or_else(|| {
                VbError::invalid(format!("{argument} contains NULL"))
                    .hint("Name columns, or give NULL instead of the array.")
            })
        })
        .collect()
}
