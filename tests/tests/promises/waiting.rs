//! `vb_wait` waits as long as it should and can be stopped.

use std::time::{Duration, Instant};

use vb_tests::cluster::Cluster;
use vb_tests::{issues, jobs};

#[test]
fn waiting_ends_with_the_job_with_its_time_or_with_an_interrupt() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_long(&mut client, 1, 1, 200, 30);
    let job = jobs::enqueue(&mut client, 1, "issues");

    let start = Instant::now();
    let state: String = client.value("select vb_wait($1::bigint, '200 milliseconds')", &[&job]);
    assert!(state == "queued" || state == "running", "{state}");
    assert!(start.elapsed() >= Duration::from_millis(200) && start.elapsed() < Duration::from_secs(3));
    let state: String = client.value("select vb_wait($1::bigint, '0')", &[&job]);
    assert_eq!(state, "running");

    client.run("set statement_timeout = '300ms'");
    let start = Instant::now();
    let error = client.error("select vb_wait($1::bigint)", &[&job]);
    assert_eq!(error.code, "57014", "{error}");
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "an interrupt took {:?}",
        start.elapsed()
    );
    client.run("reset statement_timeout");

    let state: String = client.value("select vb_wait($1::bigint)", &[&job]);
    assert_eq!(state, "completed");
    assert_eq!(jobs::progress(&mut client, job).state, "completed");
    let start = Instant::now();
    let state: String = client.value("select vb_wait($1::bigint, '1 hour')", &[&job]);
    assert_eq!(state, "completed");
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "a job that has ended is not waited for"
    );
}

#[test]
fn waiting_for_a_job_of_the_same_transaction_is_an_error_with_a_hint() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 5);
    client.run("begin");
    let job = jobs::enqueue(&mut client, 1, "issues");
    let error = client.error("select vb_wait($1::bigint)", &[&job]);
    assert_eq!(error.code, "55000", "{error}");
    assert!(
        error
            .hint
            .as_deref()
            .is_some_and(|hint| hint.to_lowercase().contains("commit")),
        "{error}"
    );
    client.run("rollback");
    let jobs: i64 = client.value("select count(*) from vb_jobs", &[]);
    assert_eq!(jobs, 0, "a job belongs to its transaction");

    let error = client.error("select vb_wait(vb_enqueue_backfill(1, 'issues'))", &[]);
    assert_eq!(error.code, "55000", "{error}");
    let error = client.error("select vb_wait(4711, null)", &[]);
    assert_eq!(error.code, "42704", "{error}");
    let error = client.error("select vb_wait(null)", &[]);
    assert_eq!(error.code, "22004", "{error}");
}

#[test]
fn waiting_ends_when_the_job_is_paused_since_it_may_stay_so_for_ever() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_long(&mut client, 1, 1, 100, 30);
    let job = jobs::enqueue(&mut client, 1, "issues");
    jobs::until(&mut client, job, "its start", |now| now.state == "running");
    std::thread::scope(|scope| {
        let mut waiting = cluster.connect("shop");
        let waiter = scope.spawn(move || waiting.value::<String>("select vb_wait($1::bigint)", &[&job]));
        client.run(&format!("select vb_pause({job})"));
        assert_eq!(waiter.join().expect("the waiting session"), "paused");
    });
    client.run(&format!("select vb_resume({job})"));
    let state: String = client.value("select vb_wait($1::bigint)", &[&job]);
    assert_eq!(state, "completed");
}
