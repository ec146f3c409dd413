//! The engine of `vector_backfill`: embedding providers, vector stores, the pipeline between them and the policies that
//! steer it. It sees Postgres only as plain values (a [`batch::Batch`] comes in, a [`batch::Outcome`] goes out), has no
//! `unsafe` line, and can be tested and measured alone.

pub mod batch;
pub mod budget;
pub mod cancel;
pub mod client_budgets;
pub mod fields;
pub mod keywords;
mod ownership;
pub mod pipeline;
pub mod point;
pub mod policy;
pub mod priority;
pub mod private_directory;
pub mod provider;
pub mod purse;
mod regular_file;
pub mod service;
pub mod store;
