//! Doubles of everything around the engine: a store and a provider in memory that can be held up, made to fail and asked
//! what they were called for, and an owner that waits for outcomes as the worker does.

// Each test binary uses its own part of this.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, missing_docs)]

pub(crate) mod gate;
pub(crate) mod owner;
pub(crate) mod provider;
pub(crate) mod store;
