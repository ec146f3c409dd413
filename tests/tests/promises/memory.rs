//! Memory is bounded whatever the table's size.

use std::fs;

use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::{debian, issues, jobs, worker};

/// Texts of half a megabyte each: 100 MB in all, and a batch would be all of them.
const ROWS: i32 = 200;
const BYTES: usize = 512 * 1024;

/// What `vector_backfill.memory_limit` is set to, in megabytes, and what may come on top of it for copies of a text at
/// work and memory that is free but not given back.
const LIMIT: u64 = 64;
const ON_TOP: u64 = 64;

/// The most memory that the worker ever had, in megabytes.
fn peak(client: &mut Client) -> u64 {
    let pid = worker::started(client);
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the worker runs");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("Linux tells the peak");
    line.trim()
        .trim_end_matches(" kB")
        .parse::<u64>()
        .expect("a number of kB")
        / 1024
}

#[test]
fn a_hundred_megabytes_of_text_pass_through_a_worker_that_may_use_64() {
    let cluster = Cluster::with_settings(&format!(
        "shared_preload_libraries = 'vector_backfill'\nvector_backfill.memory_limit = {LIMIT}"
    ));
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    // What the model and the store take by themselves.
    issues::add_long(&mut client, 2, 1, 100, 30);
    jobs::backfill(&mut client, 2, "issues");
    let before = peak(&mut client);

    let page = debian::texts(20, 20).join("\n");
    let text = page.repeat(BYTES / page.len() + 1);
    client.rows(
        "insert into issues (issue_id, client_id, description)
         select n, 1, n || ' ' || $1 from generate_series(1001, 1000 + $2::int) n",
        &[&text, &ROWS],
    );
    let job: i64 = client.value(
        "select vb_enqueue_backfill(1, 'issues', batch_size => $1::int)",
        &[&ROWS],
    );
    let done = jobs::completed(&mut client, job);

    assert_eq!((done.successful, done.failed), (i64::from(ROWS), 0));
    let after = peak(&mut client);
    println!("the worker's peak was {before} MB with short texts and {after} MB with long ones");
    assert!(
        after < before + LIMIT + ON_TOP,
        "the worker took {after} MB, {before} MB before"
    );
}
