//! Stores that do not answer, as the worker says it for people.

use vb_engine::store::place::StoreKind;

use super::installation::Installation;
use crate::error::Result;
use crate::pg::spi;

/// A store does not answer. Said again and again: what is not is of a worker that is gone.
pub(crate) fn note(installation: &Installation, store: StoreKind, seconds: f64, message: &str) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/outage_note.sql")),
        &[store.to_string().into(), seconds.into(), message.into()],
    )
    .map(|_| ())
}

/// It answers again.
pub(crate) fn end(installation: &Installation, store: StoreKind) -> Result<()> {
    spi::run(
        &installation.sql(include_str!("../../sql/query/outage_end.sql")),
        &[store.to_string().into()],
    )
    .map(|_| ())
}
