//! What `vector_backfill` reads that others wrote: users' templates and references to keys, services' answers, refusals and
//! headers, the record ids of rows and the frames of the search service's socket. And the other way round, where both are
//! ours.
//!
//! Pure functions: nothing is fetched or waited for here. This crate knows neither Postgres nor any runtime, so it compiles
//! in seconds, and the fuzz targets in `fuzz/` reach every reader of ours through it.

pub mod added_headers;
pub mod answer;
pub mod frame;
mod numbers;
pub mod rate_headers;
pub mod record_id;
pub mod refusal;
pub mod secret_ref;
pub mod template;
