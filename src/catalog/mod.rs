//! Our own tables, and what Postgres' catalogues say about users, processes and settings: each statement is a file in
//! `sql/query`, each table's reader and writer a file here.

pub(crate) mod access;
pub(crate) mod audit;
pub(crate) mod batches;
pub(crate) mod changes;
pub(crate) mod collections;
pub(crate) mod counted;
pub(crate) mod errors;
pub(crate) mod health;
pub(crate) mod hours;
pub(crate) mod installation;
pub(crate) mod job_control;
pub(crate) mod job_request;
pub(crate) mod job_state;
pub(crate) mod jobs;
pub(crate) mod local_time;
pub(crate) mod lost;
pub(crate) mod new_work;
pub(crate) mod outages;
pub(crate) mod plan;
pub(crate) mod provider_settings;
pub(crate) mod provider_usage;
pub(crate) mod providers;
pub(crate) mod references;
pub(crate) mod removals;
pub(crate) mod renamed_columns;
pub(crate) mod samples;
pub(crate) mod schedules;
pub(crate) mod seen;
pub(crate) mod source_access;
pub(crate) mod source_settings;
pub(crate) mod spending;
pub(crate) mod sync_status;
pub(crate) mod syncs;
pub(crate) mod worker_list;
