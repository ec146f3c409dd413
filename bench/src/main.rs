//! Measurements of the installed extension, each a comparison within one run: machines are shared and noisy, so only the
//! ratio of two things measured in turn says anything.

use std::process::ExitCode;

mod descriptions;
mod fairness;
mod freshness;
mod load;
mod local;
mod memory;
mod page;
mod report;
mod search;
mod service;
mod spread;
mod store;
mod triggers;
mod verify;

const HELP: &str = "\
Usage: vb-bench [fairness] [freshness] [load] [local] [page] [search] [service] [store] [triggers] [verify] [--rows N] [--rounds N] [--output FILE]

  fairness small jobs beside a large one of another client, with a slow service, against alone; how soon a pause works
  freshness how soon vectors follow a hundred changes a second, beside a backfill of a million rows and without one
  load     pgbench beside a backfill with the local model against without
  local    the whole pipeline (heap, local model, embedded store, references) against the same model in a bare loop
  page     a backfill while somebody watches the live page against while nobody does; how soon pages are there
  search   latency of vb_search, idle and during a backfill
  service  the whole pipeline with a service over HTTP against one text a call, and against what the service could serve
  store    writing vectors that are ready: the embedded store against a bare loop over its engine, the Qdrant store
           against the bulk upload of Qdrant's own client (VB_TEST_QDRANT_URL names a server; otherwise one in this process)
  triggers statements on a table that is kept in step against the same on one that is not
  verify   vb_verify over a million records on both stores, against a query that only hashes their texts

Without a name, all run. --rows (default 500) real texts a round at most, --rounds (default 5), --output a file for the results
as JSON.";

/// What the command line asks for.
struct Options {
    names: Vec<String>,
    rows: usize,
    rounds: usize,
    output: Option<String>,
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{error}\n\n{HELP}");
            return ExitCode::FAILURE;
        }
    };
    let wanted = |name: &str| options.names.is_empty() || options.names.iter().any(|one| one == name);
    let mut results = Vec::new();
    if wanted("fairness") {
        results.push(fairness::run(options.rounds));
    }
    if wanted("load") {
        results.push(load::run(options.rounds));
    }
    if wanted("freshness") {
        results.push(freshness::run(10 * options.rounds as u64));
    }
    if wanted("local") {
        results.push(local::run(options.rows, options.rounds));
    }
    if wanted("page") {
        results.push(page::run(options.rounds));
    }
    if wanted("search") {
        results.push(search::run(options.rows));
    }
    if wanted("service") {
        results.push(service::run(options.rounds));
    }
    if wanted("store") {
        results.push(store::run(options.rounds));
    }
    if wanted("triggers") {
        results.push(triggers::run(options.rounds));
    }
    if wanted("verify") {
        results.push(verify::run(options.rounds));
    }
    match report::write(results, options.output.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("could not write the results: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `None` when help is wanted.
fn options() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::{Long, Short, Value, ValueExt};

    let mut options = Options {
        names: Vec::new(),
        rows: 500,
        rounds: 5,
        output: None,
    };
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("rows") => options.rows = arguments.value()?.parse()?,
            Long("rounds") => options.rounds = arguments.value()?.parse()?,
            Long("output") => options.output = Some(arguments.value()?.string()?),
            Long("help") | Short('h') => return Ok(None),
            Value(name)
                if [
                    "fairness",
                    "freshness",
                    "load",
                    "local",
                    "page",
                    "search",
                    "service",
                    "store",
                    "triggers",
                    "verify",
                ]
                .iter()
                .any(|known| name == *known) =>
            {
                options.names.push(name.string()?)
            }
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}
