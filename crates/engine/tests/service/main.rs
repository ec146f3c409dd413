//! What the search service promises to those who ask it.
//!
//! - [`answers`]: what is asked and what is refused.
//! - [`frames`]: bytes that are no requests.
//! - [`waiting`]: nobody waits for others, or longer than he wants to.
//! - [`paying`]: questions count for the client that asks.
//! - [`socket`]: where it listens, who may come, and what lies there already.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that meets something unexpected fails"
)]

mod answers;
#[path = "../doubles/mod.rs"]
mod doubles;
mod frames;
mod paying;
mod questions;
mod socket;
mod waiting;
