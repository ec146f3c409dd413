//! Each cause that `vb_health()` knows is found when it is there, with a hint. Causes are brought about in `causes_of_*`.

use vb_tests::client::Client;
use vb_tests::monitoring::causes;
use vb_tests::row::Row;
use vb_tests::wait;

/// Those that tests bring about.
pub(crate) const BROUGHT_ABOUT: [&str; 27] = [
    "all_paused",
    "budget_spent",
    "changes_late",
    "collection_lost",
    "collection_stale",
    "database_copy",
    "hours_closed",
    "job_failed",
    "job_held_up",
    "job_paused",
    "job_stalled",
    "job_stopped",
    "job_waiting",
    "many_failed_records",
    "no_provider",
    "not_preloaded",
    "provider_throttled",
    "provider_unavailable",
    "provider_unreachable",
    "removals_waiting",
    "schedule_failed",
    "source_missing",
    "standby",
    "store_unreachable",
    "triggers_missing",
    "worker_missing",
    "worker_slots",
];

/// Waits until the cause is found.
pub(crate) fn found(client: &mut Client, cause: &str) -> Row {
    assert!(BROUGHT_ABOUT.contains(&cause), "{cause} is not in the list");
    let finding = wait::until(cause, || {
        client
            .rows("select * from vb_health() where cause = $1", &[&cause])
            .pop()
    });
    assert!(!finding.get::<String>("finding").is_empty(), "{finding:?}");
    assert!(!finding.get::<String>("hint").is_empty(), "{finding:?}");
    assert!(
        ["error", "warning", "info"].contains(&finding.get::<String>("severity").as_str()),
        "{finding:?}"
    );
    finding
}

/// Waits until it is not found any more.
pub(crate) fn gone(client: &mut Client, cause: &str) {
    wait::until(&format!("the end of {cause}"), || {
        let left: i64 = client.value("select count(*) from vb_health() where cause = $1", &[&cause]);
        (left == 0).then_some(())
    });
}

#[test]
fn every_cause_is_brought_about_by_a_test() {
    assert_eq!(causes(), BROUGHT_ABOUT.map(str::to_owned).into());
}
