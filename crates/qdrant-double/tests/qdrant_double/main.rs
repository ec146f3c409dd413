//! What the double promises to tests that rely on it, tried with Qdrant's own client code.
//!
//! - [`collections`]: collections, their indexes and aliases.
//! - [`points`]: what is stored is found, filtered, scrolled through, counted and changed.
//! - [`refusals`]: what the real server refuses, in its words.
//! - [`faults`]: every way to misbehave.
//! - [`access`]: keys, certificates, and a server that goes away and comes back.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that meets something unexpected fails"
)]

mod access;
mod client;
mod collections;
mod faults;
mod filters;
mod points;
mod refusals;
