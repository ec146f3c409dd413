//! Searching what was embedded.

use pgrx::iter::TableIterator;
use pgrx::pg_sys::Oid;
use pgrx::{AnyElement, name, pg_extern};

use super::{on_primary, required};
use crate::pg::catch::respond;
use crate::pg::json;
use crate::worker::service::search::{self, Question};

#[pg_extern(sql = false)]
fn vb_search(
    client_id: Option<i64>,
    source: Option<Oid>,
    query: Option<String>,
    k: Option<i32>,
    vector_type: Option<String>,
    mode: Option<String>,
    filter: Option<AnyElement>,
) -> TableIterator<
    'static,
    (
        name!(record_id, String),
        name!(score, f32),
        name!(snippet, String),
        name!(chunk_no, i32),
    ),
> {
    respond(|| {
        let filter = filter.map(|filter| json::value(filter, "filter")).transpose()?;
        let question = Question {
            client_id: required(client_id, "client_id")?,
            source: required(source, "source")?,
            vector_type: &required(vector_type, "vector_type")?,
            query: &required(query, "query")?,
            k: required(k, "k")?,
            mode: search::mode(&required(mode, "mode")?)?,
            filter: filter.as_ref(),
        };
        let hits = search::search(&on_primary()?, &question)?;
        Ok(TableIterator::new(hits.into_iter().map(|hit| {
            (hit.record_id, hit.score, hit.text_content, hit.chunk_no as i32)
        })))
    })
}
