//! Promises of embedding services over HTTP, against a real server on the loopback that misbehaves on command.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that meets something unexpected fails"
)]

mod answers;
mod dialects;
mod faults;
mod outages;
mod rates;
mod secrets;
mod support;
mod transport;
