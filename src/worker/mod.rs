//! The processes: a launcher for the cluster, one worker for each database, and readers that it asks for.
//!
//! The worker's main thread is the only one that talks to Postgres. It reads rows, hands them to the engine, waits for
//! the engine's wake socket or its latch, and records outcomes. No transaction is open while it waits.
//!
//! A [`reader`] makes one long look at a source, so that the worker does not have to.
//!
//! [`service`] is the other side: how sessions start, wake and ask the worker.

pub(crate) mod activate;
pub(crate) mod active_job;
mod begin;
mod budgets;
mod collection_choice;
pub(crate) mod commit;
mod day_quota;
pub(crate) mod dispatch;
pub(crate) mod follow;
mod follow_layouts;
pub(crate) mod following;
mod freshness;
pub(crate) mod hand_out;
pub(crate) mod home;
pub(crate) mod launcher;
pub(crate) mod leave;
pub(crate) mod log;
pub(crate) mod look;
mod look_order;
pub(crate) mod main_loop;
pub(crate) mod outcome;
pub(crate) mod provider_choice;
pub(crate) mod rate;
pub(crate) mod reader;
mod readings;
mod samples;
mod search_reports;
pub(crate) mod service;
pub(crate) mod startup;
mod store_upkeep;
pub(crate) mod suspicion;
pub(crate) mod sweep;
pub(crate) mod take_outcomes;
mod take_over;
pub(crate) mod troubles;
pub(crate) mod unreadable;
pub(crate) mod usage_reports;
pub(crate) mod watch_jobs;
