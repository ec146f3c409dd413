//! The whole pipeline with a service over HTTP that takes 50 ms a request and 0.2 ms a text, against a loop that sends one
//! text a call, and against what the service serves when it is never idle.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use vb_engine::cancel::CancelFlag;
use vb_engine::provider::config::{Dialect, HttpConfig, ProviderConfig, ProviderKind};
use vb_engine::provider::contract::{EmbedRequest, EmbeddingProvider, Purpose};
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

/// Calls of each loop before it counts.
const WARM_UP: usize = 10;

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
    let mut sides = Vec::new();
    for round in 1..=rounds as i64 {
        services::add_notes(&mut client, round, round as i32 * 1_000_000, RECORDS as i32);
        let side = if round % 2 == 1 {
            let (one_by_one, served) = (one_by_one(&service), served(&service));
            Side {
                one_by_one,
                served,
                pipeline: pipeline(&mut client, round),
            }
        } else {
            let pipeline = pipeline(&mut client, round);
            Side {
                one_by_one: one_by_one(&service),
                served: served(&service),
                pipeline,
            }
        };
        eprintln!(
            "round {round}: one text a call {:.1}/s, requests alone {:.0}/s, pipeline {:.0}/s ({:.0} times, {:.2})",
            side.one_by_one,
            side.served,
            side.pipeline,
            side.pipeline / side.one_by_one,
            side.pipeline / side.served,
        );
        sides.push(side);
    }
    let column = |of: fn(&Side) -> f64| sides.iter().map(of).collect::<Vec<f64>>();
    let (loops, pipelines) = (column(|side| side.one_by_one), column(|side| side.pipeline));
    let capacities = column(|side| side.served);
    let factors = column(|side| side.pipeline / side.one_by_one);
    let shares = column(|side| side.pipeline / side.served);
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
                "requests alone, always one waiting, texts/s".into(),
                format!("{:.0}", median(&capacities)),
            ),
            ("pipeline / requests alone (goal 0.9)".into(), spread(&shares, 2)),
        ],
        figures: json!({
            "records": RECORDS, "rounds": rounds, "concurrency": CONCURRENCY, "texts_in_a_request": BATCH,
            "one_by_one_records_per_second": loops, "pipeline_records_per_second": pipelines,
            "served_texts_per_second": capacities, "factor_median": median(&factors), "share_median": median(&shares),
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

/// What was measured in a round, in records or texts a second.
struct Side {
    one_by_one: f64,
    served: f64,
    pipeline: f64,
}

/// Texts a second of a loop that waits for each before it sends the next, over one kept connection.
fn one_by_one(service: &ProviderDouble) -> f64 {
    calls(service, 1, CALLS, 1)
}

/// Texts a second of twice as many such loops as the service works on at a time, so that a request always waits for it, with
/// requests as large as the pipeline's.
fn served(service: &ProviderDouble) -> f64 {
    let loops = 2 * CONCURRENCY;
    calls(service, loops, RECORDS / BATCH / loops, BATCH)
}

/// Texts a second of so many loops at the same time, each with so many calls of so many texts.
fn calls(service: &ProviderDouble, loops: usize, calls: usize, texts: usize) -> f64 {
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
        // As many at a time as it allows is what has to be learned first.
        for _ in 0..if loops > 1 { WARM_UP } else { 0 } {
            join_all((0..loops).map(|_| call(provider.as_ref(), 1))).await;
        }
        let started = Instant::now();
        join_all((0..loops).map(|_| async {
            for _ in 0..calls {
                call(provider.as_ref(), texts).await;
            }
        }))
        .await;
        (loops * calls * texts) as f64 / started.elapsed().as_secs_f64()
    })
}

/// One call with so many texts, which has to succeed.
async fn call(provider: &dyn EmbeddingProvider, texts: usize) {
    let texts = (0..texts).map(|number| Arc::from(format!("note number {number} says {number:032x}")));
    let request = EmbedRequest {
        texts: texts.collect(),
        purpose: Purpose::Passage,
        cancel: CancelFlag::default(),
    };
    let embedded = provider.embed(request).await;
    embedded.unwrap_or_else(|error| panic!("the service failed: {error}"));
}
