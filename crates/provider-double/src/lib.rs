//! An embedding service for tests and benchmarks: real HTTP/1.1, HTTP/2 and TLS on the loopback, in OpenAI's and Azure's
//! dialects, with vectors that follow from the text alone. It misbehaves on command.
//!
//! - [`server`]: start it, tell it how to behave, look at what it was asked. [`settings`] is what it starts with.
//! - [`behaviour`]: everything it can do instead of answering well. [`script`]s choose among them.
//! - [`call`]: what it was asked. [`embedding`]: what it answers.
//! - `capacity` is how much it takes at a time, `answer` and `body` write the answer, `tls` is its certificate.

// It is part of tests: what cannot happen may panic.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod answer;
pub mod behaviour;
mod body;
pub mod call;
mod capacity;
pub mod embedding;
pub mod script;
pub mod server;
pub mod settings;
mod tls;
