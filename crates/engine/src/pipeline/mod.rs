//! The way of a batch through the engine.
//!
//! - [`engine`]: what the owner calls: submit, take outcomes, shut down. [`config`] is what it starts with, [`background`] what
//!   it does about collections besides.
//! - `run_batch`: the steps of one batch in their order. Each has a file: `texts` cuts and collects, `embed` asks the
//!   provider (`bisect` finds what it refuses), `points` makes points of the answer, `collections` writes them.
//! - `vector_space` keeps models apart; [`providers`] says where providers come from, `stores` which stores are used, `outages` which of them do
//!   not answer.
//! - `aside` keeps what takes processor time off the threads that serve others.
//! - `threads`, `outcomes` and [`log_channel`] keep the engine's threads and its owner apart.

pub(crate) mod aside;
pub mod background;
mod bisect;
pub mod collections;
pub mod config;
pub(crate) mod embed;
pub mod engine;
pub mod log_channel;
pub mod outages;
mod outcomes;
mod points;
pub mod providers;
pub(crate) mod run_batch;
pub(crate) mod stores;
mod texts;
mod threads;
pub(crate) mod vector_space;
