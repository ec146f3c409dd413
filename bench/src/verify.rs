//! `vb_verify` over a large table in which everything agrees, on both stores, against a query that only hashes the texts.

use std::time::Instant;

use serde_json::json;
use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::qdrant::Qdrant;
use vb_tests::services;

use crate::memory;
use crate::report::Outcome;
use crate::spread::median;

/// Rows of the table.
const ROWS: i32 = 1_000_000;

/// Numbers in their vectors, which are made up and taken over: nobody has to embed a million texts for this.
const DIMENSIONS: usize = 8;

/// Measures in turn, once for each round.
pub(crate) fn run(rounds: usize) -> Outcome {
    let mut lines = Vec::new();
    let mut figures = serde_json::Map::new();
    for (name, qdrant) in [("embedded", None), ("qdrant", Some(Qdrant::double()))] {
        let found = store(name, qdrant, rounds);
        let ratio = median(&found.hashing) / median(&found.verify);
        lines.extend([
            (
                format!("{name}: vb_verify of {ROWS} records, s"),
                format!("{:.0}", median(&found.verify)),
            ),
            (
                format!("{name}: hashing the texts alone, s"),
                format!("{:.1}", median(&found.hashing)),
            ),
            (format!("{name}: hashing / vb_verify"), format!("{ratio:.2}")),
            (
                format!("{name}: memory that vb_verify added, session and worker, MB"),
                format!("{:.0} and {:.0}", found.added.0 / 1e6, found.added.1 / 1e6),
            ),
        ]);
        figures.insert(
            name.to_owned(),
            json!({
                "verify_seconds": found.verify, "hashing_seconds": found.hashing, "ratio_of_medians": ratio,
                "session_bytes_added": found.added.0, "worker_bytes_added": found.added.1,
            }),
        );
    }
    figures.insert("records".to_owned(), json!(ROWS));
    figures.insert("rounds".to_owned(), json!(rounds));
    Outcome {
        name: "verify",
        lines,
        figures: figures.into(),
    }
}

/// What was measured with a store.
struct Found {
    verify: Vec<f64>,
    hashing: Vec<f64>,
    /// Bytes by which the peaks of session and worker grew.
    added: (f64, f64),
}

fn store(name: &str, qdrant: Option<Qdrant>, rounds: usize) -> Found {
    // Questions would be embedded by it; none is asked.
    let service = ProviderDouble::start(Settings {
        dimensions: DIMENSIONS,
        ..Settings::default()
    });
    let cluster = Cluster::with_store(qdrant, "shared_preload_libraries = 'vector_backfill'");
    let mut client = cluster.create_database("bench");
    fill(&mut client, &service);
    let pids = |client: &mut Client| -> (i32, i32) {
        let row = client.row(
            "select pg_backend_pid() as session, pid as worker from vb_worker_status",
            &[],
        );
        (row.get("session"), row.get("worker"))
    };
    let peaks = |(session, worker)| {
        let of = |pid| memory::peak(pid).unwrap_or(0) as f64;
        (of(session), of(worker))
    };
    // A session of its own: that of the import has its peak behind it.
    let mut client = cluster.connect("bench");
    client.run("set statement_timeout = 0");
    let pids = pids(&mut client);
    let before = peaks(pids);
    let mut found = Found {
        verify: Vec::new(),
        hashing: Vec::new(),
        added: (0.0, 0.0),
    };
    for round in 1..=rounds {
        let started = Instant::now();
        let hashed: i64 = client.value("select count(sha256(convert_to(content, 'UTF8'))) from notes", &[]);
        found.hashing.push(started.elapsed().as_secs_f64());
        let started = Instant::now();
        let row = client.row("select * from vb_verify(1, 'notes')", &[]);
        found.verify.push(started.elapsed().as_secs_f64());
        assert_eq!((hashed, row.get::<i64>("checked")), (i64::from(ROWS), i64::from(ROWS)));
        eprintln!(
            "{name}, round {round}: vb_verify {:.1} s, hashing {:.1} s",
            found.verify[round - 1],
            found.hashing[round - 1]
        );
    }
    let after = peaks(pids);
    found.added = (after.0 - before.0, after.1 - before.1);
    found
}

/// Makes the rows, and takes over a vector for each.
fn fill(client: &mut Client, service: &ProviderDouble) {
    client.run("set statement_timeout = 0");
    services::register(client, "service", service, "");
    services::create_notes(client);
    services::add_notes(client, 1, 1, ROWS);
    client.run(&format!(
        "alter table notes add vector real[];
         update notes set vector = array(select sin(id * n)::real from generate_series(1, {DIMENSIONS}) n)",
    ));
    client.run("vacuum analyze notes");
    let started = Instant::now();
    let row = client.row(
        "select * from vb_import_vectors(1, 'notes', 'vector', 'test-model')",
        &[],
    );
    assert_eq!(
        (row.get::<i64>("imported"), row.get::<i64>("refused")),
        (i64::from(ROWS), 0)
    );
    eprintln!(
        "vb_import_vectors of {ROWS} records: {:.0} s",
        started.elapsed().as_secs_f64()
    );
}
