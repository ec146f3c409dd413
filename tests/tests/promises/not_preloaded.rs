//! Without preload, `CREATE EXTENSION` and one call are enough.

use vb_tests::cluster::{Cluster, Stop};
use vb_tests::store::Store;
use vb_tests::{issues, jobs};

#[test]
fn the_first_call_starts_the_worker_without_a_restart_of_the_server() {
    const ROWS: usize = 120;
    let mut cluster = Cluster::start_not_preloaded();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_long(&mut client, 1, 1, ROWS, 20);
    let job: i64 = client.value("select vb_enqueue_backfill(1, 'issues', batch_size => 20)", &[]);
    jobs::until(&mut client, job, "its first records", |now| now.successful > 0);
    let preloaded: bool = client.value("select preloaded from vb_worker_status", &[]);
    assert!(!preloaded);
    let findings: Vec<String> = client.values("select concat(finding, hint) from vb_health()", &[]);
    assert!(
        findings
            .iter()
            .any(|finding| finding.contains("shared_preload_libraries")),
        "{findings:?}"
    );

    // After a restart nobody goes on by himself, but the next call gets the work going.
    cluster.restart(Stop::Fast);
    client = cluster.connect("shop");
    let state: String = client.value("select vb_wait($1::bigint)", &[&job]);
    assert_eq!(state, "completed");
    let store = Store::of(&cluster, &mut client);
    assert_eq!(issues::assert_agreement(&mut client, &store, 1), ROWS);

    cluster.restart(Stop::Immediate);
    client = cluster.connect("shop");
    let found = client.rows("select * from vb_search(1, 'issues', 'pictures')", &[]);
    assert_eq!(found.len(), 10, "a search starts the worker as well");
}

#[test]
fn no_free_worker_slot_is_a_clear_error_or_finding_and_the_job_waits() {
    let cluster = Cluster::with_settings("max_worker_processes = 0");
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 5);
    let job = jobs::enqueue(&mut client, 1, "issues");
    assert_eq!(jobs::progress(&mut client, job).state, "queued");
    let findings: Vec<String> = client.values("select concat(finding, hint) from vb_health()", &[]);
    assert!(
        findings.iter().any(|finding| finding.contains("max_worker_processes")),
        "{findings:?}"
    );
    let error = client.error("select vb_embed('x')", &[]);
    assert!(error.to_string().contains("max_worker_processes"), "{error}");
}
