//! Crashes at any moment cost time and nothing else.

use std::collections::BTreeSet;

use rand::RngExt;
use rand::rngs::StdRng;
use vb_tests::client::Client;
use vb_tests::cluster::{Cluster, Stop};
use vb_tests::store::Store;
use vb_tests::{chance, issues, jobs, wait, worker};

const ROWS: usize = 600;
/// About 60 tokens a row.
const SENTENCES: usize = 4;
const BATCH: i32 = 20;
const CRASHES: usize = 10;

#[test]
fn a_job_survives_ten_immediate_stops_of_the_server() {
    survives(|cluster, _client| cluster.restart(Stop::Immediate));
}

#[test]
fn a_job_survives_ten_killings_of_its_worker() {
    survives(|cluster, client| {
        let victim = worker::started(client);
        let before: String = client.value("select pg_postmaster_start_time()::text", &[]);
        cluster.kill(victim);
        // The server ends all sessions and recovers; it does so by itself.
        wait::until("the end of this session", || client.try_run("select 1").err());
        let mut client = cluster.connect("shop");
        let after: String = client.value("select pg_postmaster_start_time()::text", &[]);
        assert_eq!(before, after, "the server itself was never stopped");
    });
}

/// Crashes at ten random moments of one job; then everything agrees and nothing recorded was done twice.
fn survives(mut crash: impl FnMut(&mut Cluster, &mut Client)) {
    let mut random = chance::seeded();
    let mut cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_long(&mut client, 1, 1, ROWS, SENTENCES);
    let job: i64 = client.value(
        "select vb_enqueue_backfill(1, 'issues', batch_size => $1::int)",
        &[&BATCH],
    );
    let mut recorded = BTreeSet::new();
    for moment in moments(&mut random) {
        jobs::until(&mut client, job, "the next crash", |now| now.successful >= moment);
        crash(&mut cluster, &mut client);
        client = cluster.connect("shop");
        let now = references(&mut client);
        let repeated: Vec<_> = recorded.difference(&now).take(5).collect();
        assert!(repeated.is_empty(), "references were lost or made again: {repeated:?}");
        recorded = now;
    }

    // Nobody calls a function of ours until the job is done: watching is reading tables.
    wait::until("the end of the job", || {
        let state: String = client.value("select state from vb_jobs where job_id = $1::bigint", &[&job]);
        (state != "running" && state != "queued").then_some(())
    });
    let done = jobs::completed(&mut client, job);

    assert!(
        recorded.is_subset(&references(&mut client)),
        "references were lost or made again"
    );
    assert_eq!(
        (done.successful, done.failed, done.total),
        (ROWS as i64, 0, ROWS as i64)
    );
    let tokens: i64 = client.value("select sum(token_count) from qdrant_vectors", &[]);
    assert_eq!(done.tokens, tokens, "each row's tokens are counted once");
    let store = Store::of(&cluster, &mut client);
    assert_eq!(issues::assert_agreement(&mut client, &store, 1), ROWS);
}

/// When to crash: numbers of successful records, ascending. The first may come before the worker has done anything.
fn moments(random: &mut StdRng) -> Vec<i64> {
    let mut moments: Vec<i64> = (0..CRASHES)
        .map(|_| random.random_range(0..ROWS as i64 * 9 / 10))
        .collect();
    moments.sort_unstable();
    println!("crashes when so many records are done: {moments:?}");
    moments
}

/// Each reference with the moment it was made: making it again changes that.
fn references(client: &mut Client) -> BTreeSet<(String, String)> {
    let rows = client.rows("select record_id, embedded_at::text from qdrant_vectors", &[]);
    rows.iter()
        .map(|row| (row.get("record_id"), row.get("embedded_at")))
        .collect()
}
