//! The promises of the extension, each tried on a real server through a client.
//!
//! One program for all of them: it links the engine once, and its threads share the work evenly.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that meets something unexpected fails"
)]

mod abuse;
mod access;
mod access_shop;
mod attacks;
mod audit;
mod bad_records;
mod budgets;
mod causes;
mod causes_of_jobs;
mod causes_of_services;
mod causes_of_stores;
mod changed_sources;
mod chunking;
mod comments;
mod concurrent_changes;
mod control;
mod copies;
mod crash_recovery;
mod den;
mod deputies;
mod drops;
mod dump;
mod fairness;
mod files;
mod filter;
mod flat;
mod health_and_views;
mod history;
mod hostile_sources;
mod hours;
mod hybrid;
mod import;
mod long_looks;
mod main_job;
mod memory;
mod move_store;
mod new_models;
mod not_preloaded;
mod odd_names;
mod odd_texts;
mod paces;
mod payload_changes;
mod payload_shop;
mod plan;
mod politeness;
mod provider_settings;
mod providers;
mod qdrant_losses;
mod qdrant_server;
mod qdrant_shop;
mod quotas;
mod restart;
mod roles;
mod second_run;
mod separation;
mod services;
mod standby;
mod sync;
mod sync_edges;
mod sync_model;
mod sync_shop;
mod sync_tables;
mod tenancy;
mod the_check_itself;
mod transactions;
mod two_databases;
mod verify;
mod waiting;
mod wrong_arguments;
