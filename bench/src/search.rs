//! Latency of `vb_search`, idle and during a backfill: a search goes ahead of everything else.

use std::time::Instant;

use serde_json::json;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::jobs;

use crate::descriptions::descriptions;
use crate::local::{create_table, fill};
use crate::report::Outcome;
use crate::spread::percentile;

/// Searches in each state, at most.
const SEARCHES: usize = 200;

const QUESTIONS: [&str; 5] = [
    "edit photos",
    "a library to read compressed files",
    "server for web pages",
    "fonts",
    "measure the speed of a disk",
];

/// Measures idle, then while a backfill of another client runs.
pub(crate) fn run(rows: usize) -> Outcome {
    let texts = descriptions(rows);
    let rows = texts.len();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cluster = Cluster::with_settings(&format!(
        "shared_preload_libraries = 'vector_backfill'\nvector_backfill.onnx_threads = {cores}"
    ));
    let mut client = cluster.create_database("bench");
    create_table(&mut client);
    fill(&mut client, 1, &texts[..rows.min(300)]);
    jobs::backfill(&mut client, 1, "texts");
    fill(&mut client, 2, &texts);
    search(&mut client, 0);

    let idle: Vec<f64> = (0..SEARCHES).map(|number| search(&mut client, number)).collect();
    let job = jobs::enqueue(&mut client, 2, "texts");
    jobs::until(&mut client, job, "the backfill's first records", |progress| {
        progress.processed > 0
    });
    let mut busy = Vec::new();
    while busy.len() < SEARCHES && !jobs::progress(&mut client, job).has_ended() {
        busy.push(search(&mut client, busy.len()));
    }
    let line = |name: &str, values: &[f64]| {
        (
            format!("{name}: p50, p95, p99 in ms ({} searches)", values.len()),
            format!(
                "{:.1}  {:.1}  {:.1}",
                percentile(values, 0.5),
                percentile(values, 0.95),
                percentile(values, 0.99)
            ),
        )
    };
    Outcome {
        name: "search",
        lines: vec![line("idle", &idle), line("during a backfill", &busy)],
        figures: json!({ "idle_ms": idle, "during_backfill_ms": busy }),
    }
}

/// Milliseconds that one search takes.
fn search(client: &mut Client, number: usize) -> f64 {
    let started = Instant::now();
    let question = QUESTIONS[number % QUESTIONS.len()];
    client.rows("select * from vb_search(1, 'texts', $1, 10)", &[&question]);
    started.elapsed().as_secs_f64() * 1000.0
}
