//! What the local provider promises, tried on the real model and the real runtime.
//!
//! - [`vectors`]: the numbers are those of an independent implementation.
//! - [`requests`]: order, cancellation, bad texts, queries before passages.
//! - [`threads`]: priorities, and that threads end when they should.
//! - [`refusals`]: what is missing or broken is named.
//! - [`model_files`]: a model is what was checked; [`hostile`]: nothing in its files ends the process.
//! - [`registry`]: providers are shared, kept while in use and let go of.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that meets something unexpected fails"
)]

mod hostile;
mod model_files;
mod refusals;
mod registry;
mod requests;
mod support;
mod threads;
mod vectors;
