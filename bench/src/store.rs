//! The way to the store alone, with vectors ready: ours against a bare loop over the same engine, and against the bulk upload of
//! Qdrant's own client to the same server.

#![allow(clippy::expect_used, reason = "a measurement that meets something unexpected ends")]

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use qdrant_client::Qdrant;
use qdrant_client::qdrant::{NamedVectors, PointStruct, UpsertPointsBuilder, Vector};
use qdrant_edge::{
    DEFAULT_VECTOR_NAME, Distance, EdgeConfig, EdgeShard, EdgeSparseVectorParams, EdgeVectorParams, Memory, Modifier,
    Payload, PointId, PointInsertOperations, PointOperations, PointStructPersisted, SparseVector, UpdateOperation,
    VectorPersisted, VectorStructPersisted,
};
use serde_json::{Value, json};
use uuid::Uuid;
use vb_engine::keywords::Keywords;
use vb_engine::point::{Point, PointPayload};
use vb_engine::store::contract::{CollectionSpec, VectorStore};
use vb_engine::store::embedded::{EmbeddedOptions, EmbeddedStore};
use vb_engine::store::qdrant::{CollectionOptions, QdrantOptions, QdrantStore};
use vb_engine::store::share::Share;
use vb_qdrant_double::server::QdrantDouble;
use vb_qdrant_double::settings::Settings;

use crate::descriptions::descriptions;
use crate::report::Outcome;
use crate::spread::{median, percentile};

const DIMENSIONS: usize = 384;

/// Points of a round and side, and how many are written together, as batches do.
const POINTS: usize = 10_000;
const BATCH: usize = 200;

/// Batches at a time, as `vector_backfill.max_concurrent_batches` has it.
const AT_A_TIME: usize = 4;

/// What stores call the vector of keywords.
const KEYWORDS: &str = "keywords";

/// Points a second of one round.
struct Round {
    bare_engine: f64,
    embedded: f64,
    bare_client: f64,
    qdrant: f64,
}

/// Measures in turn, once for each round and side.
pub(crate) fn run(rounds: usize) -> Outcome {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be started");
    let points = points();
    let measured: Vec<Round> = (0..rounds)
        .map(|round| {
            let measured = runtime.block_on(round_of(&points));
            eprintln!(
                "round {}: bare engine {:.0}/s, embedded {:.0}/s ({:.2}); bare client {:.0}/s, qdrant {:.0}/s ({:.2})",
                round + 1,
                measured.bare_engine,
                measured.embedded,
                measured.embedded / measured.bare_engine,
                measured.bare_client,
                measured.qdrant,
                measured.qdrant / measured.bare_client,
            );
            measured
        })
        .collect();
    let column = |of: fn(&Round) -> f64| measured.iter().map(of).collect::<Vec<f64>>();
    let embedded = column(|round| round.embedded / round.bare_engine);
    let qdrant = column(|round| round.qdrant / round.bare_client);
    let spread = |values: &[f64]| {
        format!(
            "{:.2} ({:.2} to {:.2})",
            median(values),
            percentile(values, 0.0),
            percentile(values, 1.0)
        )
    };
    let rate = |values: Vec<f64>| format!("{:.0}", median(&values));
    Outcome {
        name: "store",
        lines: vec![
            (
                "bare loop over the engine, points/s".into(),
                rate(column(|round| round.bare_engine)),
            ),
            ("embedded store, points/s".into(), rate(column(|round| round.embedded))),
            ("embedded / bare loop (goal 0.9)".into(), spread(&embedded)),
            (
                "bulk upload of Qdrant's client, points/s".into(),
                rate(column(|round| round.bare_client)),
            ),
            ("qdrant store, points/s".into(), rate(column(|round| round.qdrant))),
            ("qdrant / bulk upload (goal 0.9)".into(), spread(&qdrant)),
        ],
        figures: json!({
            "points": POINTS, "rounds": rounds, "points_in_a_batch": BATCH, "batches_at_a_time": AT_A_TIME,
            "embedded_share_median": median(&embedded), "embedded_shares": embedded,
            "qdrant_share_median": median(&qdrant), "qdrant_shares": qdrant,
            "bare_engine_points_per_second": column(|round| round.bare_engine),
            "embedded_points_per_second": column(|round| round.embedded),
            "bare_client_points_per_second": column(|round| round.bare_client),
            "qdrant_points_per_second": column(|round| round.qdrant),
        }),
    }
}

async fn round_of(points: &[Point]) -> Round {
    Round {
        bare_engine: bare_engine(points),
        embedded: embedded(points).await,
        bare_client: bare_client(points).await,
        qdrant: qdrant(points).await,
    }
}

/// Points a second.
fn rate(took: Duration) -> f64 {
    POINTS as f64 / took.as_secs_f64()
}

/// Points with real texts and their keywords; of their vectors only the length matters.
fn points() -> Vec<Point> {
    let texts = descriptions(POINTS);
    let of = |number: usize| {
        let text = &texts[number % texts.len()];
        let vector: Vec<f32> = (0..DIMENSIONS)
            .map(|place| (((number * 31 + place * 7919) % 2_003) as f32 - 1_001.0) / 1_001.0)
            .collect();
        Point {
            id: Uuid::new_v5(&Uuid::NAMESPACE_OID, &number.to_be_bytes()),
            vector,
            keywords: Keywords::of_text(text),
            payload: PointPayload {
                client_id: 1,
                source: "issues".into(),
                record_id: number.to_string(),
                vector_type: "content".into(),
                chunk_no: 0,
                text_content: text.chars().take(500).collect(),
                content_hash: "0".repeat(64),
                provider: "sentence_transformers".into(),
                model: "all-MiniLM-L6-v2".into(),
                generated_at: 1_763_800_000.5,
                fields: serde_json::Map::new(),
                fields_hash: String::new(),
            },
        }
    };
    (0..POINTS).map(of).collect()
}

fn spec() -> CollectionSpec {
    CollectionSpec {
        name: "bench".into(),
        dimensions: DIMENSIONS,
        is_shared: false,
        fields: Vec::new(),
    }
}

/// Batches as a pipeline writes them: some at a time, each durable before it counts.
async fn through(store: &dyn VectorStore, points: &[Point]) -> f64 {
    store.ensure_collection(&spec()).await.expect("the store works");
    let share = Share::whole("bench");
    let batches: Vec<Vec<Point>> = points.chunks(BATCH).map(<[Point]>::to_vec).collect();
    let mut lanes: Vec<Vec<Vec<Point>>> = vec![Vec::new(); AT_A_TIME];
    for (number, batch) in batches.into_iter().enumerate() {
        lanes[number % AT_A_TIME].push(batch);
    }
    let start = Instant::now();
    let lanes = lanes.into_iter().map(|lane| async {
        for batch in lane {
            store.upsert(&share, batch).await.expect("the store works");
            store.flush("bench").await.expect("the store works");
        }
    });
    join_all(lanes).await;
    rate(start.elapsed())
}

async fn embedded(points: &[Point]) -> f64 {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let store = EmbeddedStore::open(folder.path().to_owned(), EmbeddedOptions::default()).expect("the store opens");
    let rate = through(&store, points).await;
    store.close().await;
    rate
}

/// One shard, one operation and one flush for each batch, one after the other.
fn bare_engine(points: &[Point]) -> f64 {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let vectors = EdgeVectorParams::builder(DIMENSIONS, Distance::Cosine)
        .memory(Memory::Cold)
        .build();
    let keywords = EdgeSparseVectorParams::builder()
        .memory(Memory::Cold)
        .modifier(Modifier::Idf)
        .build();
    let config = EdgeConfig::builder()
        .vector(DEFAULT_VECTOR_NAME, vectors)
        .sparse_vector(KEYWORDS, keywords)
        .build();
    let shard = EdgeShard::new(&folder.path().join("shard"), config).expect("a shard can be made");
    let batches: Vec<Vec<Point>> = points.chunks(BATCH).map(<[Point]>::to_vec).collect();
    let start = Instant::now();
    for batch in batches {
        let points = batch.into_iter().map(persisted).collect();
        let operation = PointOperations::UpsertPoints(PointInsertOperations::PointsList(points));
        shard
            .update(UpdateOperation::PointOperation(operation))
            .expect("the engine works");
        shard.flush().expect("the engine works");
    }
    rate(start.elapsed())
}

fn persisted(point: Point) -> PointStructPersisted {
    let Ok(Value::Object(payload)) = serde_json::to_value(&point.payload) else {
        unreachable!("a payload is an object")
    };
    let keywords = SparseVector {
        indices: point.keywords.words,
        values: point.keywords.weights,
    };
    PointStructPersisted {
        id: PointId::Uuid(point.id),
        vector: VectorStructPersisted::Named(
            [
                (DEFAULT_VECTOR_NAME.to_owned(), VectorPersisted::Dense(point.vector)),
                (KEYWORDS.to_owned(), VectorPersisted::Sparse(keywords)),
            ]
            .into(),
        ),
        payload: Some(Payload(payload)),
    }
}

/// A server: the one at `VB_TEST_QDRANT_URL`, or one in this process.
fn server() -> (String, Option<QdrantDouble>) {
    match std::env::var("VB_TEST_QDRANT_URL") {
        Ok(url) => (url, None),
        Err(_) => {
            let double = QdrantDouble::start(Settings::default()).expect("a server can be started");
            (double.url(), Some(double))
        }
    }
}

fn store_at(url: &str) -> QdrantStore {
    QdrantStore::open(QdrantOptions {
        url: url.to_owned(),
        api_key: None,
        secret_directory: None,
        ca_file: None,
        request_timeout: Duration::from_secs(60),
        collections: CollectionOptions::default(),
    })
    .expect("the address is right")
}

async fn qdrant(points: &[Point]) -> f64 {
    let (url, _server) = server();
    let store = store_at(&url);
    store.drop_collection("bench").await.expect("the server works");
    let rate = through(&store, points).await;
    store.drop_collection("bench").await.expect("the server works");
    rate
}

/// Qdrant's own way to upload many points, in requests of the size of our batches; the points are in its form already.
async fn bare_client(points: &[Point]) -> f64 {
    let (url, _server) = server();
    let store = store_at(&url);
    store.drop_collection("bench").await.expect("the server works");
    store.ensure_collection(&spec()).await.expect("the server works");
    let client = Qdrant::from_url(&url)
        .timeout(Duration::from_secs(60))
        .skip_compatibility_check()
        .build()
        .expect("the address is right");
    let points: Vec<PointStruct> = points.iter().map(point_struct).collect();
    let request = UpsertPointsBuilder::new("bench", points).wait(true);
    let start = Instant::now();
    client
        .upsert_points_chunked(request, BATCH)
        .await
        .expect("the server works");
    let rate = rate(start.elapsed());
    store.drop_collection("bench").await.expect("the server works");
    rate
}

fn point_struct(point: &Point) -> PointStruct {
    let payload: qdrant_client::Payload = serde_json::to_value(&point.payload)
        .expect("a payload is JSON")
        .try_into()
        .expect("a payload is an object");
    let keywords = Vector::new_sparse(point.keywords.words.clone(), point.keywords.weights.clone());
    let vectors = NamedVectors::default()
        .add_vector("", Vector::new_dense(point.vector.clone()))
        .add_vector(KEYWORDS, keywords);
    PointStruct::new(point.id.to_string(), vectors, payload)
}
