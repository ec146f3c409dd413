//! What the pipeline promises to whoever submits batches.
//!
//! - [`points`]: what is stored and deleted, and that it is durable before it is told.
//! - [`collections`]: made when they are needed, indexed beside everything else, dropped.
//! - [`requests`]: what the provider is asked, and whom it costs when it refuses a text.
//! - [`budgets`]: what may be spent is never exceeded.
//! - [`vector_space`]: vectors that do not fit never reach the store.
//! - [`outcomes`]: every batch has one, whatever fails.
//! - [`cancelling`]: what a cancelled batch still does.
//! - [`threads`]: who runs beside whom, how urgently, and when all of them end.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that meets something unexpected fails"
)]

mod batches;
mod budgets;
mod cancelling;
mod collections;
#[path = "../doubles/mod.rs"]
mod doubles;
mod outages;
mod outcomes;
mod partial;
mod points;
mod requests;
mod threads;
mod vector_space;
