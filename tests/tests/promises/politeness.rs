//! The worker yields to the database's own work: it reads as everybody does, holds nothing back, and leaves processors to others.

use std::fs;
use std::time::{Duration, Instant};

use vb_tests::cluster::Cluster;
use vb_tests::{issues, jobs, wait};

/// Linux' number of the scheduling policy for what nobody else wants, and where `/proc/…/stat` has it, from 0 after the name.
const IDLE_POLICY: &str = "5";
const POLICY_FIELD: usize = 38;

#[test]
fn the_worker_takes_no_lock_that_keeps_others_from_writing_and_holds_no_snapshot() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_long(&mut client, 1, 1, 500, 30);
    let job: i64 = client.value("select vb_enqueue_backfill(1, 'issues', batch_size => 10)", &[]);
    jobs::until(&mut client, job, "its first records", |now| now.successful > 0);
    client.run("select vb_enable_sync('issues')");
    let worker = "(select pid from vb_worker_status)";
    let started = Instant::now();
    let mut looks = 0;
    while started.elapsed() < Duration::from_secs(5) && jobs::progress(&mut client, job).state == "running" {
        client.run("update issues set title = title || '.' where issue_id = 7");
        let stronger: Vec<String> = client.values(
            &format!(
                "select distinct mode from pg_locks where pid = {worker} and relation = 'issues'::regclass and mode <> 'AccessShareLock'"
            ),
            &[],
        );
        assert!(stronger.is_empty(), "{stronger:?}");
        let age: f64 = client.value(
            &format!(
                "select coalesce(extract(epoch from max(clock_timestamp() - xact_start)), 0)::float8 from pg_stat_activity where pid = {worker}"
            ),
            &[],
        );
        assert!(age < 2.0, "a transaction of the worker is {age} s old");
        looks += 1;
    }
    assert!(looks > 20, "only {looks} looks");
    wait::until("a change to be followed", || {
        let applied: i64 = client.value("select coalesce(sum(applied), 0)::bigint from vb_sync_status()", &[]);
        (applied > 0).then_some(())
    });
    let pid: i32 = client.value("select pid from vb_worker_status", &[]);
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("the worker runs here");
    let policies: Vec<(String, String)> = tasks
        .filter_map(|task| {
            let stat = fs::read_to_string(task.ok()?.path().join("stat")).ok()?;
            let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
            Some((name.to_owned(), rest.split_whitespace().nth(POLICY_FIELD)?.to_owned()))
        })
        .collect();
    let of = |name: &str| {
        let mut found = policies.iter().filter(|(thread, _)| thread.starts_with(name));
        found.next().map(|(_, policy)| policy.as_str())
    };
    assert_eq!(of("vb-passage"), Some(IDLE_POLICY), "{policies:?}");
    assert_eq!(of("vb-change"), Some("0"), "{policies:?}");
    if jobs::progress(&mut client, job).state == "running" {
        client.run(&format!("select vb_cancel({job})"));
    }
}
