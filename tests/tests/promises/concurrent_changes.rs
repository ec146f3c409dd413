//! Rows change while the job runs.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use rand::RngExt;
use rand::SeedableRng;
use rand::rngs::StdRng;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::store::Store;
use vb_tests::{chance, issues, jobs};

/// Rows at the start, all of one client.
const ROWS: usize = 1_500;
/// About 60 tokens a row, so that the writers have some time.
const SENTENCES: usize = 4;
const WRITERS: usize = 3;

#[test]
fn rows_changed_by_three_sessions_during_the_job_are_right_when_it_completes() {
    let mut random = chance::seeded();
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let store = Store::of(&cluster, &mut client);
    issues::create(&mut client);
    issues::add_long(&mut client, 1, 1, ROWS, SENTENCES);
    let job = jobs::enqueue(&mut client, 1, "issues");
    jobs::until(&mut client, job, "its first records", |now| now.successful > 0);

    let stop = AtomicBool::new(false);
    let statements = AtomicUsize::new(0);
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (mut session, random) = (cluster.connect("shop"), StdRng::seed_from_u64(random.random()));
            let (stop, statements) = (&stop, &statements);
            scope.spawn(move || {
                write(&mut session, random, writer, || {
                    statements.fetch_add(1, Ordering::Relaxed);
                    !stop.load(Ordering::Relaxed)
                });
            });
        }
        // The writers end before the job does: its completion has to cover all that they did.
        let watch = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            jobs::until(&mut client, job, "two thirds of its work", |now| {
                now.processed > ROWS as i64 * 2 / 3
            })
        }));
        stop.store(true, Ordering::Relaxed);
        watch.expect("the job comes so far");
    });
    let statements = statements.load(Ordering::Relaxed);
    assert!(statements > 100, "the writers got only {statements} statements done");
    let now = jobs::progress(&mut client, job);
    assert_eq!(
        now.state, "running",
        "the writers outlasted the job: this run proves nothing"
    );

    jobs::completed(&mut client, job);

    for client_id in [1, 2] {
        if client_id == 2 {
            jobs::backfill(&mut client, client_id, "issues");
        }
        issues::assert_agreement(&mut client, &store, client_id);
    }
    let again = jobs::backfill(&mut client, 1, "issues");
    assert_eq!(
        (again.successful, again.removed),
        (0, 0),
        "the job left something to do"
    );
}

/// Changes rows at random, a third of them its own, until told to stop.
fn write(session: &mut Client, mut random: StdRng, writer: usize, mut go_on: impl FnMut() -> bool) {
    let mut next_key = (writer + 1) * 1_000_000;
    while go_on() {
        let key = random.random_range(1..=ROWS);
        let sql = match random.random_range(0..8) {
            0 | 1 => {
                next_key += 1;
                format!(
                    "insert into issues (issue_id, client_id, title, summary)
                     values ({next_key}, 1, 'new {next_key}', 'written by session {writer} while the job runs')"
                )
            }
            2 => format!("delete from issues where issue_id = {key}"),
            3 => format!("update issues set active = not active where issue_id = {key}"),
            4 => format!("update issues set client_id = 3 - client_id where issue_id = {key}"),
            5 => {
                next_key += 1;
                format!("update issues set issue_id = {next_key} where issue_id = {key}")
            }
            _ => format!("update issues set title = title || ' changed' where issue_id between {key} and {key} + 3"),
        };
        session.run(&sql);
    }
}
