//! `vector_backfill`: turns rows that are already in a database into embedding vectors and keeps them true.
//!
//! This crate is the only place that knows Postgres. SQL functions ([`api`]) write wishes into tables ([`catalog`]); a
//! background worker ([`worker`]) reads the users' rows ([`source`]), hands them to the engine crate and records what
//! came of them. Triggers note what changes meanwhile ([`sync`]). Every `unsafe` line is in [`pg`].

use pgrx::prelude::*;

mod api;
mod catalog;
mod error;
mod fault;
mod pg;
mod settings;
mod source;
mod sync;
mod worker;

::pgrx::pg_module_magic!();

extension_sql_file!("../sql/schema/10_installation.sql", name = "installation");
extension_sql_file!(
    "../sql/schema/15_access.sql",
    name = "access",
    requires = ["installation"]
);
extension_sql_file!("../sql/schema/17_audit.sql", name = "audit", requires = ["access"]);
extension_sql_file!("../sql/schema/20_sources.sql", name = "sources", requires = ["audit"]);
extension_sql_file!(
    "../sql/schema/30_providers.sql",
    name = "providers",
    requires = ["sources"]
);
extension_sql_file!(
    "../sql/schema/35_spending.sql",
    name = "spending",
    requires = ["providers"]
);
extension_sql_file!(
    "../sql/schema/40_collections.sql",
    name = "collections",
    requires = ["spending"]
);
extension_sql_file!(
    "../sql/schema/45_changes.sql",
    name = "changes",
    requires = ["collections"]
);
extension_sql_file!("../sql/schema/50_jobs.sql", name = "jobs", requires = ["changes"]);
extension_sql_file!("../sql/schema/55_hours.sql", name = "hours", requires = ["jobs"]);
extension_sql_file!("../sql/schema/60_progress.sql", name = "progress", requires = ["hours"]);
extension_sql_file!(
    "../sql/schema/70_functions.sql",
    name = "functions",
    requires = ["progress"]
);
extension_sql_file!("../sql/schema/80_views.sql", name = "views", requires = ["functions"]);
extension_sql_file!(
    "../sql/schema/85_row_security.sql",
    name = "row_security",
    requires = ["views"]
);
extension_sql_file!("../sql/schema/90_grants.sql", name = "grants", finalize);

/// Runs when the library is loaded: defines settings and, when preloaded, registers the launcher. Creates no thread,
/// runtime, session or shard, since the postmaster forks.
#[pg_guard]
pub extern "C-unwind" fn _PG_init() {
    settings::define();
    worker::launcher::register_when_preloaded();
}
