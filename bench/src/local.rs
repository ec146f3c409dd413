//! The whole pipeline against the same model on the same texts in a bare loop: how much stands in the model's way.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use vb_engine::cancel::CancelFlag;
use vb_engine::provider::config::{OnnxConfig, ProviderConfig, ProviderKind};
use vb_engine::provider::contract::{EmbedRequest, EmbeddingProvider, Purpose};
use vb_engine::provider::options::LocalOptions;
use vb_engine::provider::registry::ProviderRegistry;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::{jobs, worker};

use crate::descriptions::descriptions;
use crate::memory;
use crate::report::Outcome;
use crate::spread::{median, percentile};

/// Texts in a request of the bare loop, and requests at a time: what a job of this size and the default settings use.
const BATCH: usize = 100;
const AT_A_TIME: usize = 4;

/// Niceness of the model's threads in both: the default of `vector_backfill.nice`.
const NICE: i32 = 10;

const TABLE: &str = "create table texts (id bigint primary key, client_id bigint not null, content text not null)";

/// Measures in turn, once for each round and side.
pub(crate) fn run(rows: usize, rounds: usize) -> Outcome {
    let texts = descriptions(rows);
    let rows = texts.len();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cluster = Cluster::with_settings(&format!(
        "shared_preload_libraries = 'vector_backfill'\nvector_backfill.onnx_threads = {cores}"
    ));
    let mut client = cluster.create_database("bench");
    client.run(TABLE);
    for round in 1..=rounds as i64 {
        fill(&mut client, round, &texts);
    }
    // Both sides have their model loaded before anything is measured.
    client.run("select vb_embed('warm')");
    let bare = Bare::load(cores);
    bare.seconds(&texts[..BATCH.min(rows)]);

    let mut sides = Vec::new();
    for round in 1..=rounds {
        // The side that goes first changes, since a shared machine may slow down in between.
        let (alone, whole) = if round % 2 == 1 {
            let alone = bare.seconds(&texts);
            (alone, pipeline_seconds(&mut client, round as i64))
        } else {
            let whole = pipeline_seconds(&mut client, round as i64);
            (bare.seconds(&texts), whole)
        };
        eprintln!(
            "round {round}: bare loop {alone:.1} s, pipeline {whole:.1} s, ratio {:.3}",
            alone / whole
        );
        sides.push((alone, whole));
    }
    let ratios: Vec<f64> = sides.iter().map(|(alone, whole)| alone / whole).collect();
    let bare_rate: Vec<f64> = sides.iter().map(|(alone, _)| rows as f64 / alone).collect();
    let pipeline_rate: Vec<f64> = sides.iter().map(|(_, whole)| rows as f64 / whole).collect();
    let peak = worker::pid(&mut client).and_then(memory::peak).unwrap_or(0);
    Outcome {
        name: "local",
        lines: vec![
            ("bare loop, records/s".into(), format!("{:.1}", median(&bare_rate))),
            (
                "whole pipeline, records/s".into(),
                format!("{:.1}", median(&pipeline_rate)),
            ),
            (
                "pipeline / bare loop (goal 0.85)".into(),
                format!(
                    "{:.3} ({:.3} to {:.3})",
                    median(&ratios),
                    percentile(&ratios, 0.0),
                    percentile(&ratios, 1.0)
                ),
            ),
            ("worker's peak memory, MB".into(), format!("{}", peak / 1_000_000)),
        ],
        figures: json!({
            "rows": rows, "rounds": rounds, "threads": cores,
            "bare_records_per_second": bare_rate, "pipeline_records_per_second": pipeline_rate,
            "ratio": ratios, "ratio_median": median(&ratios), "worker_peak_bytes": peak,
        }),
    }
}

/// Adds the texts as a client's rows.
pub(crate) fn fill(client: &mut Client, client_id: i64, texts: &[String]) {
    client.rows(
        "insert into texts select $1::bigint * 1000000 + n, $1::bigint, content
         from jsonb_array_elements_text($2::jsonb) with ordinality as t(content, n)",
        &[&client_id, &json!(texts)],
    );
    client.run("analyze texts");
}

/// The table that [`fill`] adds to.
pub(crate) fn create_table(client: &mut Client) {
    client.run(TABLE);
}

/// From the call that enqueues to the commit that completes the job.
fn pipeline_seconds(client: &mut Client, client_id: i64) -> f64 {
    let job = jobs::enqueue(client, client_id, "texts");
    jobs::completed(client, job);
    client.value(
        "select extract(epoch from finished_at - created_at)::float8 from vb_progress($1)",
        &[&job],
    )
}

/// The model alone, as the extension would load it.
struct Bare {
    runtime: tokio::runtime::Runtime,
    provider: Arc<dyn EmbeddingProvider>,
}

impl Bare {
    fn load(threads: usize) -> Self {
        let path = |variable: &str| {
            PathBuf::from(std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: use make bench")))
        };
        let config = ProviderConfig {
            name: "sentence_transformers".into(),
            model: "all-MiniLM-L6-v2".into(),
            dimensions: Some(384),
            max_tokens: Some(256),
            kind: ProviderKind::Onnx(OnnxConfig {
                library: path("VB_ONNXRUNTIME_LIBRARY"),
                model_directory: path("VB_MODEL_DIRECTORY").join("all-MiniLM-L6-v2"),
                threads,
                nice: NICE,
                options: LocalOptions::default(),
            }),
        };
        let runtime = tokio::runtime::Runtime::new().unwrap_or_else(|error| panic!("no runtime: {error}"));
        let provider = runtime
            .block_on(ProviderRegistry::new().get(&config))
            .unwrap_or_else(|error| panic!("the model does not load: {error}"));
        Self { runtime, provider }
    }

    /// Embeds all texts, so many requests at a time.
    fn seconds(&self, texts: &[String]) -> f64 {
        let started = Instant::now();
        self.runtime.block_on(async {
            let mut running = tokio::task::JoinSet::new();
            for batch in texts.chunks(BATCH) {
                if running.len() == AT_A_TIME {
                    running.join_next().await;
                }
                let provider = Arc::clone(&self.provider);
                let request = EmbedRequest {
                    texts: batch.iter().map(|text| Arc::from(text.as_str())).collect(),
                    purpose: Purpose::Passage,
                    cancel: CancelFlag::default(),
                };
                running.spawn(async move { provider.embed(request).await.map(|vectors| vectors.len()) });
            }
            for result in running.join_all().await {
                result.unwrap_or_else(|error| panic!("the model failed: {error}"));
            }
        });
        started.elapsed().as_secs_f64()
    }
}
