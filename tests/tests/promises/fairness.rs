//! A big job keeps nobody else waiting.

use std::time::{Duration, Instant};

use vb_tests::cluster::Cluster;
use vb_tests::{issues, jobs};

/// A search answers within this while the worker is busy, on a machine that does other things as well.
const ANSWER: Duration = Duration::from_secs(2);

#[test]
fn a_small_job_and_searches_are_served_while_another_clients_big_job_runs() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_short(&mut client, 2, 1, 100);
    jobs::backfill(&mut client, 2, "issues");
    issues::add_long(&mut client, 1, 3_001, 1_000, 30);
    let big = jobs::enqueue(&mut client, 1, "issues");
    jobs::until(&mut client, big, "its first records", |now| now.successful > 0);

    issues::add_short(&mut client, 3, 2_001, 20);
    let small = jobs::enqueue(&mut client, 3, "issues");
    jobs::completed(&mut client, small);
    let now = jobs::progress(&mut client, big);
    assert_eq!(
        now.state, "running",
        "the small job waited for the end of the big one: {now:?}"
    );

    let mut slowest = Duration::ZERO;
    for question in [
        "a library",
        "play music",
        "scientific computing",
        "old games",
        "system administration",
    ] {
        let start = Instant::now();
        let found = client.rows("select * from vb_search(2, 'issues', $1, 5)", &[&question]);
        slowest = slowest.max(start.elapsed());
        assert_eq!(found.len(), 5);
    }
    let now = jobs::progress(&mut client, big);
    assert_eq!(
        now.state, "running",
        "the big job ended too early: this run proves nothing"
    );
    println!("the slowest search took {slowest:?}");
    assert!(slowest < ANSWER, "a search waited {slowest:?} behind a backfill");
    client.run(&format!("select vb_cancel({big})"));
}
