//! The whole pipeline with a service over HTTP that takes 50 ms a request and 0.2 ms a text, against a loop that sends one
//! text a call, and against what the service could serve at the concurrency it allows.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use vb_engine::cancel::CancelFlag;
use vb_engine::provider::config::{Dialect, HttpConfig, ProviderConfig, ProviderKind};
use vb_engine::provider::contract::{EmbedRequest, Purpose};
use vb_engine::provider::options::ProviderOptions;
use vb_engine::provider::registry::ProviderRegistry;
use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::{jobs, services};

use crate::report::Outcome;
use crate::spread::{median, percentile};

/// How long the service takes.
const LATENCY: Duration = Duration::from_millis(50);
const LATENCY_PER_TEXT: Duration = Duration::from_micros(200);

/// Requests that it works on at the same time, and texts in each.
const CONCURRENCY: usize = 4;
const BATCH: usize = 100;

/// `vector_backfill.max_concurrent_batches`: as many as the service works on, and as many that are read, stored or recorded
/// meanwhile.
const AT_A_TIME: usize = 2 * CONCURRENCY;

/// Records that the pipeline embeds in a round, and calls that the loop makes.
const RECORDS: usize = 20_000;
const CALLS: usize = 60;

const DIMENSIONS: usize = 384;

/// Measures in turn, once for each round and side.
pub(crate) fn run(rounds: usize) -> Outcome {
    let service = ProviderDouble::start(Settings {
        dimensions: DIMENSIONS,
        latency: LATENCY,
        latency_per_text: LATENCY_PER_TEXT,
        concurrency: Some(CONCURRENCY),
        ..Settings::default()
    });
    let cluster = Cluster::with_settings(&format!(
        "shared_preload_libraries = 'vector_backfill'\nvector_backfill.max_concurrent_batches = {AT_A_TIME}"
    ));
    let mut client = cluster.create_database("bench");
    services::register(&mut client, "service", &service, &format!(", max_texts => {BATCH}"));
    services::create_notes(&mut client);
    let possible = (CONCURRENCY * BATCH) as f64 / (LATENCY + LATENCY_PER_TEXT * BATCH as u32).as_secs_f64();
    let mut sides = Vec::new();
    for round in 1..=rounds as i64 {
        services::add_notes(&mut client, round, round as i32 * 1_000_000, RECORDS as i32);
        let (one_by_one, pipeline) = if round % 2 == 1 {
            let one_by_one = one_by_one(&service);
            (one_by_one, pipeline(&mut client, round))
        } else {
            let pipeline = pipeline(&mut client, round);
            (one_by_one(&service), pipeline)
        };
        eprintln!(
            "round {round}: one text a call {one_by_one:.1}/s, pipeline {pipeline:.0}/s ({:.0} times), {:.2} of what is possible",
            pipeline / one_by_one,
            pipeline / possible
        );
        sides.push((one_by_one, pipeline));
    }
    let column = |of: fn(&(f64, f64)) -> f64| sides.iter().map(of).collect::<Vec<f64>>();
    let (loops, pipelines) = (column(|side| side.0), column(|side| side.1));
    let factors = column(|side| side.1 / side.0);
    let shares: Vec<f64> = pipelines.iter().map(|rate| rate / possible).collect();
    let spread = |values: &[f64], digits: usize| {
        format!(
            "{:.digits$} ({:.digits$} to {:.digits$})",
            median(values),
            percentile(values, 0.0),
            percentile(values, 1.0)
        )
    };
    Outcome {
        name: "service",
        lines: vec![
            ("one text a call, records/s".into(), format!("{:.1}", median(&loops))),
            ("whole pipeline, records/s".into(), format!("{:.0}", median(&pipelines))),
            ("pipeline / one text a call (goal 50)".into(), spread(&factors, 0)),
            (
                "what the service could serve, records/s".into(),
                format!("{possible:.0}"),
            ),
            ("pipeline / possible (goal 0.9)".into(), spread(&shares, 2)),
        ],
        figures: json!({
            "records": RECORDS, "rounds": rounds, "concurrency": CONCURRENCY, "texts_in_a_request": BATCH,
            "one_by_one_records_per_second": loops, "pipeline_records_per_second": pipelines,
            "possible_records_per_second": possible, "factor_median": median(&factors), "share_median": median(&shares),
        }),
    }
}

/// Records a second, from the call that enqueues to the commit that completes the job.
fn pipeline(client: &mut Client, client_id: i64) -> f64 {
    let job = services::enqueue(client, client_id, "service", BATCH as i32);
    jobs::completed(client, job);
    let seconds: f64 = client.value(
        "select extract(epoch from finished_at - created_at)::float8 from vb_progress($1)",
        &[&job],
    );
    RECORDS as f64 / seconds
}

/// Texts a second of a loop that waits for each before it sends the next, over one kept connection.
fn one_by_one(service: &ProviderDouble) -> f64 {
    let config = ProviderConfig {
        name: "loop".into(),
        model: "test-model".into(),
        dimensions: Some(DIMENSIONS),
        max_tokens: None,
        kind: ProviderKind::Http(Box::new(HttpConfig {
            options: ProviderOptions {
                local: true,
                ..ProviderOptions::default()
            },
            ..HttpConfig::new(Dialect::OpenaiCompatible, Some(service.endpoint()))
        })),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap_or_else(|error| panic!("no runtime: {error}"));
    runtime.block_on(async {
        let provider = ProviderRegistry::new()
            .get(&config)
            .await
            .unwrap_or_else(|error| panic!("no provider: {error}"));
        let started = Instant::now();
        for number in 0..CALLS {
            let request = EmbedRequest {
                texts: vec![Arc::from(format!("note number {number}"))],
                purpose: Purpose::Passage,
                cancel: CancelFlag::default(),
            };
            provider
                .embed(request)
                .await
                .unwrap_or_else(|error| panic!("the service failed: {error}"));
        }
        CALLS as f64 / started.elapsed().as_secs_f64()
    })
}
