//! How soon vectors follow changed rows, a hundred changes a second, while a backfill of a million rows runs, and without one.

use std::time::{Duration, Instant};

use serde_json::json;
use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::{jobs, services, sync};

use crate::report::Outcome;
use crate::spread::percentile;

/// Rows of the backfill.
const ROWS: i32 = 1_000_000;

/// Rows of the client whose rows change.
const CHANGING: i32 = 5_000;

/// Between two changes.
const INTERVAL: Duration = Duration::from_millis(10);

const LATENCIES: &str = "
select extract(epoch from v.embedded_at - n.changed_at)::float8
from notes n
join qdrant_vectors v on v.client_id = 2 and v.source = 'notes'::regclass and v.record_id = n.id::text
where n.client_id = 2 and n.changed_at > $1::text::timestamptz";

/// Measures for so many seconds, with and without the backfill.
pub(crate) fn run(seconds: u64) -> Outcome {
    let service = ProviderDouble::start(Settings {
        dimensions: 384,
        latency: Duration::from_millis(20),
        latency_per_text: Duration::from_micros(200),
        ..Settings::default()
    });
    let cluster = Cluster::with_store(
        None,
        "shared_preload_libraries = 'vector_backfill'\nshared_buffers = 512MB\nmax_wal_size = 4GB",
    );
    let mut client = cluster.create_database("bench");
    client.run("set statement_timeout = 0");
    services::register(&mut client, "service", &service, "");
    services::create_notes(&mut client);
    services::add_notes(&mut client, 1, 1, ROWS);
    services::add_notes(&mut client, 2, ROWS + 1, CHANGING);
    client.run("alter table notes add changed_at timestamptz; create index on notes (client_id)");
    client.run("vacuum analyze notes");
    let job = services::enqueue(&mut client, 2, "service", 100);
    jobs::completed(&mut client, job);
    sync::enable(&mut client, "notes");
    let quiet = measure(&mut client, seconds);
    let job = services::enqueue(&mut client, 1, "service", 200);
    let beside = measure(&mut client, seconds);
    let progress = jobs::progress(&mut client, job);
    assert_eq!(
        progress.state, "running",
        "the backfill ended too early: this run proves nothing"
    );
    let mut lines = Vec::new();
    let mut figures = serde_json::Map::new();
    for (name, latencies) in [("no backfill", &quiet), ("beside a backfill", &beside)] {
        let at = |share| percentile(latencies, share);
        lines.push((
            format!("{name}: median, p95, p99, max of {} changes, s", latencies.len()),
            format!("{:.2} {:.2} {:.2} {:.2}", at(0.5), at(0.95), at(0.99), at(1.0)),
        ));
        figures.insert(
            name.replace(' ', "_"),
            json!({ "changes": latencies.len(), "p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": at(1.0) }),
        );
    }
    lines.push((
        "records of the backfill meanwhile".to_owned(),
        progress.processed.to_string(),
    ));
    figures.insert("backfilled_meanwhile".to_owned(), json!(progress.processed));
    figures.insert("seconds".to_owned(), json!(seconds));
    Outcome {
        name: "freshness",
        lines,
        figures: figures.into(),
    }
}

fn measure(client: &mut Client, seconds: u64) -> Vec<f64> {
    let since: String = client.value("select clock_timestamp()::text", &[]);
    let started = Instant::now();
    let changes = seconds * 1_000 / INTERVAL.as_millis() as u64;
    for number in 0..changes {
        let due = started + INTERVAL * number as u32;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let id = ROWS + 1 + (number as i32 * 37) % CHANGING;
        client.rows(
            "update notes set content = 'note says ' || clock_timestamp(), changed_at = clock_timestamp() where id = $1::int",
            &[&id],
        );
    }
    eprintln!("{changes} changes in {:.1} s", started.elapsed().as_secs_f64());
    let settled = Instant::now();
    sync::settled(client);
    eprintln!("settled after {:.1} s", settled.elapsed().as_secs_f64());
    client.values(LATENCIES, &[&since])
}
