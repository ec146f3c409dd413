//! Backfills work when they are wanted: in open hours, and again and again.

use vb_tests::{jobs, services, sync, wait};

use crate::sync_shop::Shop;

/// An hour before now and an hour after it, wherever the clock is.
pub(crate) const AROUND_NOW: &str = "(clock_timestamp() at time zone 'UTC' - interval '1 hour')::time,
    (clock_timestamp() at time zone 'UTC' + interval '1 hour')::time";

#[test]
fn no_backfill_works_in_closed_hours_but_changes_are_followed() {
    let mut shop = Shop::open_in_step("");
    shop.client.run(&format!(
        "select vb_set_window({AROUND_NOW}, client_id => 1, time_zone => 'UTC')"
    ));
    services::add_notes(&mut shop.client, 1, 5_000, 10);
    sync::settled(&mut shop.client);
    shop.client
        .run("update notes set content = content || ' in the night' where id < 5");
    sync::settled(&mut shop.client);
    shop.agrees();
    let held = services::enqueue(&mut shop.client, 1, "double", 50);
    let other = services::enqueue(&mut shop.client, 2, "double", 50);
    jobs::completed(&mut shop.client, other);
    assert_eq!(jobs::progress(&mut shop.client, held).state, "queued");
    let told: String = shop
        .client
        .value("select finding from vb_health() where finding like '%closed%'", &[]);
    assert!(told.contains("client 1"), "{told}");
    shop.client.run("select vb_set_window(null, null, client_id => 1)");
    jobs::completed(&mut shop.client, held);
    // For everybody, on no day that is today.
    shop.client.run(&format!(
        "select vb_set_window({AROUND_NOW}, time_zone => 'UTC', days => array(
             select d from generate_series(1, 7) d
             where d not in (extract(isodow from clock_timestamp() at time zone 'UTC'),
                             extract(isodow from clock_timestamp() at time zone 'UTC' - interval '1 hour'))))"
    ));
    let open = services::enqueue(&mut shop.client, 1, "double", 50);
    jobs::completed(&mut shop.client, open);
    for (arguments, message) in [
        ("'08:00', '08:00'", "are the same"),
        ("'08:00', null", "one of closed_from and closed_until is NULL"),
        ("'08:00', '18:00', days => '{0}'", "days must be numbers"),
        ("'08:00', '18:00', client_id => -1", "must not be negative"),
        ("'08:00', '18:00', time_zone => 'Mars/Olympus'", "Mars/Olympus"),
    ] {
        let error = shop.client.error(&format!("select vb_set_window({arguments})"), &[]);
        assert_eq!(error.code, "22023");
        assert!(error.message.contains(message), "{}", error.message);
    }
}

#[test]
fn a_schedule_enqueues_backfills_again_and_again() {
    let mut shop = Shop::open("");
    services::add_notes(&mut shop.client, 1, 5_000, 10);
    let nightly: i64 = shop.client.value(
        "select vb_schedule_backfill(1, 'notes', time_zone => 'Europe/Berlin')",
        &[],
    );
    let is_at_two: bool = shop.client.value(
        "select (next_run at time zone 'Europe/Berlin')::time = '02:00' and next_run > now() and next_run < now() + interval '25 hours'
         from vb_schedules",
        &[],
    );
    assert!(is_at_two);
    let often: i64 = shop.client.value(
        "select vb_schedule_backfill(1, 'notes', '* * * * * *', provider => 'double')",
        &[],
    );
    assert_eq!(often, nightly, "there is one for each client, source and vector type");
    let last_job = "select last_job from vb_schedules where last_job is not null";
    wait::until("the scheduled backfill", || {
        shop.client.values::<i64>(last_job, &[]).pop()
    });
    wait::until("its notes to be embedded", || {
        let missing: i64 = shop.client.value(
            "select count(*) from notes n where client_id = 1 and not exists (
                 select from qdrant_vectors v where v.client_id = 1 and v.record_id = n.id::text)",
            &[],
        );
        (missing == 0).then_some(())
    });
    shop.client.run("alter table notes rename column content to something");
    wait::until("an error that says so", || {
        let told: Option<String> = shop.client.value("select last_error from vb_schedules", &[]);
        told.filter(|told| told.contains("columns that make its content"))
    });
    let error = shop
        .client
        .error("select vb_schedule_backfill(1, 'notes', 'sometimes')", &[]);
    assert_eq!(error.code, "42703");
    shop.client.run("alter table notes rename column something to content");
    let error = shop
        .client
        .error("select vb_schedule_backfill(1, 'notes', 'sometimes')", &[]);
    assert_eq!(error.code, "22023");
    assert!(error.message.contains("no pattern of cron"), "{}", error.message);
    assert!(
        shop.client
            .value::<bool>("select vb_unschedule_backfill($1::bigint)", &[&often])
    );
    assert!(
        !shop
            .client
            .value::<bool>("select vb_unschedule_backfill($1::bigint)", &[&often])
    );
}
