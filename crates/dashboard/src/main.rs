//! `vb-dashboard`: the live page of a database that has `vector_backfill`, and its metrics.
//!
//! One task looks at the database, once a second and only while somebody watches; its results are shared by all
//! event streams. Whatever else is asked for (errors, histories, downloads, control) goes through a small pool. What is
//! shown is what the database's role may see.

mod api;
mod arguments;
mod assets;
mod connection;
mod database;
mod hub;
mod json;
mod looker;
mod looks;
mod metrics;
mod role;
mod routes;
mod safety;
mod schedule;
mod server;
mod site;
mod slow_look;
mod standing;
mod streams;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Arguments;

/// As of a command line that cannot be understood.
const REFUSED: u8 = 2;

fn main() -> ExitCode {
    let started = Arguments::parse().checked().and_then(|setup| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        Ok((setup, runtime))
    });
    let (setup, runtime) = match started {
        Ok(started) => started,
        Err(refused) => {
            eprintln!("vb-dashboard: {refused}");
            return ExitCode::from(REFUSED);
        }
    };
    match runtime.block_on(server::serve(setup)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vb-dashboard: {error}");
            ExitCode::FAILURE
        }
    }
}
