//! Records and collections of a client have their bounds, which only administrators move.

use vb_tests::{jobs, services, wait};

use crate::access_shop::shop;

#[test]
fn a_client_embeds_no_more_records_a_day_and_has_no_more_collections_than_it_may() {
    let (_cluster, mut client) = shop();
    client.run("select vb_set_client_limits(1, max_records_per_day => 30, max_collections => 1)");
    services::add_notes(&mut client, 1, 1_000, 100);
    let job: i64 = client.value("select vb_enqueue_backfill(1, 'notes', batch_size => 7)", &[]);
    let paused = jobs::until(&mut client, job, "a pause", |now| now.state == "paused");
    // Eight were embedded before.
    assert_eq!(paused.successful, 22, "{paused:?}");
    let reason = paused.last_error.unwrap_or_default();
    assert!(reason.contains("30 records that it may embed in a day"), "{reason}");
    let wakes: bool = client.value(
        "select next_attempt_at > clock_timestamp() from vb_jobs where job_id = $1::bigint",
        &[&job],
    );
    assert!(wakes, "it goes on tomorrow");
    let row = client.row(
        "select records, max_records_per_day from vb_client_spending where client_id = 1",
        &[],
    );
    assert_eq!((row.get::<i64>(0), row.get::<i64>(1)), (30, 30));

    client.run("select vb_set_client_limits(1, max_records_per_day => 1000, max_collections => 1)");
    wait::until("a job that goes on by itself", || {
        (jobs::progress(&mut client, job).state == "completed").then_some(())
    });
    assert_eq!(jobs::progress(&mut client, job).successful, 100);
    client.run("create table drafts as select * from notes; alter table drafts add primary key (id)");
    let job = jobs::enqueue(&mut client, 1, "drafts");
    let paused = jobs::until(&mut client, job, "a pause", |now| now.state == "paused");
    let reason = paused.last_error.unwrap_or_default();
    assert!(
        reason.starts_with("client 1 has 1 collections and may have 1"),
        "{reason}"
    );
    client.run(&format!(
        "select vb_set_client_limits(1, max_collections => 2), vb_resume({job})"
    ));
    assert_eq!(jobs::completed(&mut client, job).successful, 108);
    for (argument, value) in [("max_records_per_day", -1), ("max_collections", -1)] {
        let error = client.error(&format!("select vb_set_client_limits(1, {argument} => {value})"), &[]);
        assert_eq!(error.code, "22023", "{error}");
    }
}
