//! How long small jobs take beside a large one of another client, with a slow service, and how soon a pause takes effect.

use std::time::{Duration, Instant};

use serde_json::json;
use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::{jobs, services};

use crate::report::Outcome;
use crate::spread::median;

/// Records of the three clients.
const SIZES: [i32; 3] = [10, 1_000, 100_000];

/// Measures in turn, once for each round: the two smaller jobs alone, and beside the largest.
pub(crate) fn run(rounds: usize) -> Outcome {
    let service = ProviderDouble::start(Settings {
        dimensions: 384,
        latency: Duration::from_millis(500),
        latency_per_text: Duration::from_millis(2),
        ..Settings::default()
    });
    let cluster = Cluster::with_store(
        None,
        "shared_preload_libraries = 'vector_backfill'\nshared_buffers = 256MB",
    );
    let mut client = cluster.create_database("bench");
    client.run("set statement_timeout = 0");
    services::register(&mut client, "service", &service, "");
    services::create_notes(&mut client);
    for (client_id, size) in (1..).zip(SIZES) {
        services::add_notes(&mut client, client_id, client_id as i32 * 1_000_000, size);
    }
    client.run("create index on notes (client_id)");
    let (mut alone, mut beside, mut pauses) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()], Vec::new());
    for round in 1..=rounds {
        for (number, took) in alone.iter_mut().enumerate() {
            took.push(small(&mut client, number as i64 + 1));
        }
        let large = services::enqueue(&mut client, 3, "service", 200);
        jobs::until(&mut client, large, "its first records", |now| now.successful > 0);
        for (number, took) in beside.iter_mut().enumerate() {
            took.push(small(&mut client, number as i64 + 1));
        }
        assert_eq!(
            jobs::progress(&mut client, large).state,
            "running",
            "the large job ended too early"
        );
        let started = Instant::now();
        client.run(&format!("select vb_pause({large})"));
        while client.value::<i64>("select count(*) from vb_active_batches", &[]) > 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        pauses.push(started.elapsed().as_secs_f64());
        client.run(&format!("select vb_cancel({large})"));
        eprintln!("round {round}: alone {alone:?}, beside {beside:?}, pause {pauses:?}");
    }
    let mut lines = Vec::new();
    let mut figures = serde_json::Map::new();
    for (number, size) in SIZES[..2].iter().enumerate() {
        let (alone, beside) = (&alone[number], &beside[number]);
        let ratio = median(beside) / median(alone);
        lines.push((
            format!("{size} records, beside {} / alone", SIZES[2]),
            format!("{:.1} s / {:.1} s = {ratio:.2}", median(beside), median(alone)),
        ));
        figures.insert(
            format!("records_{size}"),
            json!({ "alone_seconds": alone, "beside_seconds": beside, "ratio_of_medians": ratio }),
        );
    }
    lines.push((
        "from vb_pause until nothing is in flight, s".to_owned(),
        format!("{:.2}", median(&pauses)),
    ));
    figures.insert("pause_seconds".to_owned(), json!(pauses));
    figures.insert("rounds".to_owned(), json!(rounds));
    Outcome {
        name: "fairness",
        lines,
        figures: figures.into(),
    }
}

/// How long a client's backfill takes from nothing, in seconds.
fn small(client: &mut Client, client_id: i64) -> f64 {
    client.rows(
        "update notes set content = content || '.' where client_id = $1::bigint",
        &[&client_id],
    );
    let started = Instant::now();
    let job = services::enqueue(client, client_id, "service", 200);
    jobs::completed(client, job);
    started.elapsed().as_secs_f64()
}
