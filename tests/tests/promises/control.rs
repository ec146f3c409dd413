//! Jobs can be paused, resumed, cancelled, retried and forgotten, also in the middle, and lose nothing by it.

use std::time::{Duration, Instant};

use vb_tests::agreement::assert_agreement;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::jobs::{self, Progress};
use vb_tests::store::Store;
use vb_tests::{issues, wait};

/// A second, as promised, and what a busy machine may add to it.
const WITHIN: Duration = Duration::from_secs(2);

const ROWS: usize = 200;

/// A long job of 200 rows, in batches that take about two seconds each, that has come to its first records.
fn running_job(cluster: &Cluster) -> (Client, Store, i64) {
    let mut client = cluster.create_database("shop");
    let store = Store::of(cluster, &mut client);
    issues::create(&mut client);
    issues::add_long(&mut client, 1, 1, ROWS, 30);
    let job: i64 = client.value("select vb_enqueue_backfill(1, 'issues', batch_size => 30)", &[]);
    jobs::until(&mut client, job, "its first records", |now| now.successful > 0);
    (client, store, job)
}

/// Waits until no batch is in flight; gives the job as it is then.
fn at_rest(client: &mut Client, job: i64) -> Progress {
    wait::within(WITHIN, "the end of the batches in flight", || {
        let batches: i64 = client.value("select count(*) from vb_active_batches", &[]);
        (batches == 0).then(|| jobs::progress(client, job))
    })
}

/// Lets the worker do another client's small job, so that it had every chance to go on with this one.
fn let_the_worker_do_something_else(client: &mut Client) {
    issues::add_short(client, 2, 10_001, 5);
    assert_eq!(jobs::backfill(client, 2, "issues").successful, 5);
}

fn made_at(client: &mut Client) -> Vec<(String, String)> {
    let sql = "select record_id, embedded_at::text from qdrant_vectors where client_id = 1 order by record_id";
    client
        .rows(sql, &[])
        .iter()
        .map(|row| (row.get("record_id"), row.get("embedded_at")))
        .collect()
}

#[test]
fn a_pause_in_the_middle_takes_effect_within_a_second_and_loses_nothing() {
    let cluster = Cluster::start();
    let (mut client, store, job) = running_job(&cluster);
    let start = Instant::now();
    let state: String = client.value("select vb_pause($1::bigint)", &[&job]);
    assert_eq!(state, "paused");
    assert!(start.elapsed() < WITHIN, "vb_pause itself took {:?}", start.elapsed());

    let paused = at_rest(&mut client, job);
    assert_eq!(paused.state, "paused");
    assert!(
        paused.successful < ROWS as i64,
        "the job was done before it could be paused: {paused:?}"
    );
    let kept = made_at(&mut client);
    let_the_worker_do_something_else(&mut client);
    assert_eq!(
        jobs::progress(&mut client, job).processed,
        paused.processed,
        "a paused job went on"
    );
    let again: String = client.value("select vb_pause($1::bigint)", &[&job]);
    assert_eq!(again, "paused", "a second pause changes nothing");
    let same: i64 = client.value("select vb_enqueue_backfill(1, 'issues')", &[]);
    assert_eq!(same, job, "a paused job is an unfinished one");

    client.run(&format!("select vb_resume({job})"));
    let done = jobs::completed(&mut client, job);
    assert_eq!((done.successful, done.failed), (ROWS as i64, 0));
    let after = made_at(&mut client);
    assert!(
        kept.iter().all(|reference| after.contains(reference)),
        "what was embedded before the pause was made again"
    );
    assert_eq!(issues::assert_agreement(&mut client, &store, 1), ROWS);
}

#[test]
fn a_cancel_in_the_middle_takes_effect_within_a_second_and_keeps_what_is_embedded() {
    let cluster = Cluster::start();
    let (mut client, store, job) = running_job(&cluster);
    let state: String = client.value("select vb_cancel($1::bigint)", &[&job]);
    assert_eq!(state, "cancelled");
    let cancelled = at_rest(&mut client, job);
    let kept = made_at(&mut client);
    assert!(
        !kept.is_empty() && kept.len() < ROWS,
        "{} rows are embedded",
        kept.len()
    );
    assert_eq!(cancelled.successful, kept.len() as i64);
    let_the_worker_do_something_else(&mut client);
    assert_eq!(
        jobs::progress(&mut client, job).processed,
        cancelled.processed,
        "a cancelled job went on"
    );
    let finished: bool = client.value("select finished_at is not null from vb_progress($1::bigint)", &[&job]);
    assert!(finished);

    // What the references name is in the store, and nothing else.
    let rows = format!(
        "{} and issue_id::text in (select record_id from qdrant_vectors where client_id = 1)",
        issues::expected(1)
    );
    let expectation = issues::expectation(1, &rows);
    assert_eq!(assert_agreement(&mut client, &store, expectation), kept.len());

    let next = jobs::enqueue(&mut client, 1, "issues");
    assert_ne!(next, job);
    let done = jobs::completed(&mut client, next);
    assert_eq!(
        done.successful as usize,
        ROWS - kept.len(),
        "the next job does the rest and only the rest"
    );
    assert_eq!(issues::assert_agreement(&mut client, &store, 1), ROWS);
}

#[test]
fn pausing_resuming_and_cancelling_again_and_again_loses_nothing() {
    let cluster = Cluster::start();
    let (mut client, store, job) = running_job(&cluster);
    for _ in 0..12 {
        client.run(&format!("select vb_pause({job})"));
        client.run(&format!("select vb_resume({job})"));
    }
    client.run(&format!("select vb_cancel({job})"));
    let next = jobs::enqueue(&mut client, 1, "issues");
    client.run(&format!("select vb_pause({next}); select vb_resume({next})"));
    jobs::completed(&mut client, next);
    assert_eq!(issues::assert_agreement(&mut client, &store, 1), ROWS);
    let made: i64 = client.value("select sum(successful_records)::bigint from vb_jobs", &[]);
    assert_eq!(made as usize, ROWS, "each row was counted once");
}

#[test]
fn an_unfinished_job_is_given_back_instead_of_a_second_one() {
    let cluster = Cluster::start();
    let (mut client, _store, job) = running_job(&cluster);
    let same: i64 = client.value("select vb_enqueue_backfill(1, 'issues', preference => 'fast')", &[]);
    assert_eq!(same, job);
    let other: i64 = client.value("select vb_enqueue_backfill(1, 'issues', 'summary')", &[]);
    assert_ne!(other, job, "another vector type is another job");
    let other: i64 = client.value("select vb_enqueue_backfill(2, 'issues')", &[]);
    assert_ne!(other, job, "another client is another job");
    // Rows enough that the first of these jobs has not ended before the last session asks.
    issues::add_long(&mut client, 3, 10_001, 100, 30);
    let at_once: Vec<i64> = std::thread::scope(|scope| {
        let ask = || jobs::enqueue(&mut cluster.connect("shop"), 3, "issues");
        let sessions: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        sessions
            .into_iter()
            .map(|session| session.join().expect("an enqueueing session"))
            .collect()
    });
    assert!(
        at_once.iter().all(|job| *job == at_once[0]),
        "sessions at the same moment got several jobs: {at_once:?}"
    );
    client.run(&format!("select vb_cancel({job})"));
}

#[test]
fn what_makes_no_sense_in_a_state_is_refused_with_a_hint() {
    let cluster = Cluster::start();
    let (mut client, _store, job) = running_job(&cluster);
    let refuse = |client: &mut Client, function: &str| {
        let error = client.error(&format!("select {function}($1::bigint)"), &[&job]);
        assert_eq!(error.code, "55000", "{function}: {error}");
        assert!(
            error.message.contains(&job.to_string()) && error.hint.is_some(),
            "{function}: {error}"
        );
    };
    refuse(&mut client, "vb_forget");
    client.run(&format!("select vb_cancel({job})"));
    for function in ["vb_pause", "vb_resume"] {
        refuse(&mut client, function);
    }
    let again: String = client.value("select vb_cancel($1::bigint)", &[&job]);
    assert_eq!(again, "cancelled", "a second cancel changes nothing");
    at_rest(&mut client, job);
    let kept = made_at(&mut client);
    let forgotten: bool = client.value("select vb_forget($1::bigint)", &[&job]);
    assert!(forgotten);
    let jobs: i64 = client.value("select count(*) from vb_job_status", &[]);
    assert_eq!(jobs, 0);
    assert_eq!(made_at(&mut client), kept, "vectors stay when their job is forgotten");
}

#[test]
fn failed_records_can_be_put_back_to_work() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let store = Store::of(&cluster, &mut client);
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 10);
    // A record that failed in this very job, as the worker would have recorded it.
    client.run("begin");
    let job = jobs::enqueue(&mut client, 1, "issues");
    let failed = format!(
        "insert into vb_job_errors (job_id, record_id, content_hash, error_class, message, attempts)
         select $1::bigint, issue_id::text, sha256(convert_to({}, 'UTF8')), 'record', 'refused by the provider', 1
         from issues where issue_id in (3, 4)",
        issues::CONTENT
    );
    client.rows(&failed, &[&job]);
    client.rows(
        "update vb_jobs set failed_records = 2 where job_id = $1::bigint",
        &[&job],
    );
    client.run("commit");
    let done = jobs::completed(&mut client, job);
    assert_eq!(
        (done.successful, done.failed, done.processed, done.total),
        (8, 2, 10, 10)
    );
    let reported: Vec<String> = client.values(
        "select record_id from vb_error_report where client_id = 1 order by 1",
        &[],
    );
    assert_eq!(reported, ["3", "4"]);
    let latest: String = client.value("select errors::text from vb_progress($1::bigint)", &[&job]);
    assert!(latest.contains("refused by the provider"), "{latest}");

    let retried: i64 = client.value("select vb_retry_failed($1::bigint)", &[&job]);
    assert_eq!(retried, 2);
    let done = jobs::until(&mut client, job, "the second try", |now| {
        now.successful == 10 && now.state == "completed"
    });
    assert_eq!((done.failed, done.total), (0, 10));
    assert_eq!(issues::assert_agreement(&mut client, &store, 1), 10);
    let none: i64 = client.value("select vb_retry_failed($1::bigint)", &[&job]);
    assert_eq!(none, 0);
    assert_eq!(
        jobs::progress(&mut client, job).state,
        "completed",
        "nothing to retry changes nothing"
    );
}

#[test]
fn who_enqueues_with_other_wishes_is_told_that_the_unfinished_job_keeps_its_own() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    let job = jobs::enqueue(&mut client, 1, "issues");
    client.rows("select vb_pause($1::bigint)", &[&job]);
    client.take_notices();
    let same: i64 = client.value(
        "select vb_enqueue_backfill(1, 'issues', preference => 'fast', reembed => true)",
        &[],
    );
    assert_eq!(same, job);
    let notices: Vec<String> = client.take_notices().into_iter().map(|notice| notice.message).collect();
    assert!(
        notices.contains(&format!(
            "job {job} is there already and keeps its own preference, reembed"
        )),
        "{notices:?}"
    );
}

#[test]
fn a_worker_that_cannot_look_at_its_jobs_tries_again_less_and_less_often() {
    let cluster = Cluster::start();
    let (mut client, store, job) = running_job(&cluster);
    let mut other = cluster.connect("shop");
    other.run("begin; lock table vb_jobs in access exclusive mode");
    wait::until("pauses that grow", || {
        let log = cluster.log();
        ["tries again in 0.2 s", "tries again in 0.5 s", "tries again in 1.0 s"]
            .iter()
            .all(|line| log.contains(line))
            .then_some(())
    });
    other.run("rollback");
    jobs::completed(&mut client, job);
    assert_eq!(issues::assert_agreement(&mut client, &store, 1), ROWS);
}
