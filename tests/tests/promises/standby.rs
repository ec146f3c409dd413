//! A standby has no worker, says so, and gets one when it is promoted.

use vb_tests::cluster::Cluster;
use vb_tests::store::Store;
use vb_tests::{issues, jobs, wait, worker};

#[test]
fn a_standby_shows_progress_but_does_no_work_until_it_is_promoted() {
    let primary = Cluster::start();
    let mut client = primary.create_database("shop");
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 30);
    let standby = primary.start_standby();
    jobs::backfill(&mut client, 1, "issues");
    issues::add_short(&mut client, 1, 31, 10);

    let mut reader = standby.connect("shop");
    wait::until("the standby to have followed", || {
        let rows: i64 = reader.value("select count(*) from issues", &[]);
        (rows == 40).then_some(())
    });
    let states: Vec<String> = reader.values("select state from vb_job_status", &[]);
    assert_eq!(states, ["completed"]);
    let error = reader.error("select vb_enqueue_backfill(1, 'issues')", &[]);
    assert_eq!(error.code, "25006", "{error}");
    assert!(error.hint.is_some(), "{error}");
    let error = reader.error("select vb_embed('x')", &[]);
    assert!(
        error.to_string().contains("standby") || error.to_string().contains("recovery"),
        "{error}"
    );
    reader.rows("select * from vb_health()", &[]);
    reader.rows("select * from vb_worker_status", &[]);
    assert_eq!(worker::pid(&mut reader), None);

    drop((client, primary));
    let promoted: bool = reader.value("select pg_promote()", &[]);
    assert!(promoted);
    // The store was not part of the copy: the next run makes it again, or somebody is told.
    let done = jobs::backfill(&mut reader, 1, "issues");
    assert!(done.successful >= 10, "{done:?}");
    let store = Store::of(&standby, &mut reader);
    let job: i64 = reader.value("select vb_enqueue_backfill(1, 'issues', reembed => true)", &[]);
    jobs::completed(&mut reader, job);
    assert_eq!(issues::assert_agreement(&mut reader, &store, 1), 40);
}
