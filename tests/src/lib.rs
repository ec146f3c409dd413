//! What the end-to-end tests of `vector_backfill` are made of: throw-away clusters with the installed extension, a client,
//! real rows, and checks that know nothing of how the extension works inside.
//!
//! Everything here fails by panicking with what it saw: its only users are tests.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that meets something unexpected fails"
)]

pub mod agreement;
pub mod browser;
pub mod chance;
pub mod client;
pub mod cluster;
pub mod debian;
pub mod exact_search;
pub mod exposition;
pub mod folder;
pub mod http;
pub mod issues;
pub mod jobs;
pub mod monitoring;
pub mod program;
pub mod qdrant;
pub mod row;
pub mod server_user;
pub mod services;
pub mod sql_error;
pub mod store;
pub mod sync;
pub mod template;
pub mod wait;
pub mod worker;
