//! Calling providers.

use pgrx::datum::Interval;
use pgrx::iter::TableIterator;
use pgrx::{name, pg_extern};

use super::{on_primary, required};
use crate::pg::catch::respond;
use crate::worker::service::embed;

#[pg_extern(sql = false)]
fn vb_check_provider(
    name: Option<String>,
) -> TableIterator<
    'static,
    (
        name!(ok, bool),
        name!(latency, Option<Interval>),
        name!(dimensions, Option<i32>),
        name!(detail, String),
    ),
> {
    respond(|| {
        let checked = embed::check_provider(&on_primary()?, &required(name, "name")?)?;
        Ok(TableIterator::once((
            checked.ok,
            checked.latency,
            checked.dimensions,
            checked.detail,
        )))
    })
}

#[pg_extern(sql = false)]
fn vb_embed(input: Option<String>, provider: Option<String>) -> Vec<f32> {
    respond(|| embed::embed(&on_primary()?, &required(input, "input")?, provider.as_deref()))
}
