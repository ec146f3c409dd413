//! Nobody takes more than his share: bounds on records a second, on jobs and batches at a time, and a stop for everything.

use std::time::{Duration, Instant};

use vb_provider_double::behaviour::Behaviour;
use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::{jobs, services, sync, wait};

use crate::sync_shop::Shop;

#[test]
fn a_client_embeds_no_more_records_a_second_than_it_may() {
    let mut shop = Shop::open("");
    shop.client
        .run("select vb_set_client_limits(1, max_records_per_second => 20)");
    services::add_notes(&mut shop.client, 1, 5_000, 100);
    services::add_notes(&mut shop.client, 2, 6_000, 300);
    let slow = services::enqueue(&mut shop.client, 1, "double", 50);
    let started = Instant::now();
    let free = services::enqueue(&mut shop.client, 2, "double", 50);
    jobs::completed(&mut shop.client, free);
    assert_eq!(jobs::progress(&mut shop.client, slow).state, "running");
    jobs::completed(&mut shop.client, slow);
    let took = started.elapsed();
    // Those of the first second come at once.
    assert!(took > Duration::from_millis(2_900), "a hundred records in {took:?}");
}

#[test]
fn backfills_together_embed_no_more_records_a_second_than_they_may() {
    let mut shop = Shop::open("vector_backfill.max_records_per_second = 20");
    services::add_notes(&mut shop.client, 1, 5_000, 60);
    services::add_notes(&mut shop.client, 2, 6_000, 60);
    let started = Instant::now();
    let both = [1, 2].map(|client_id| services::enqueue(&mut shop.client, client_id, "double", 50));
    for job in both {
        jobs::completed(&mut shop.client, job);
    }
    assert!(
        started.elapsed() > Duration::from_millis(3_900),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn priority_batch_size_and_concurrency_of_a_running_job_can_be_changed() {
    let mut shop = Shop::open_with(
        "",
        Settings {
            latency: Duration::from_millis(200),
            ..Settings::default()
        },
    );
    services::add_notes(&mut shop.client, 1, 5_000, 400);
    let job = services::enqueue(&mut shop.client, 1, "double", 10);
    jobs::until(&mut shop.client, job, "some records", |now| now.successful > 0);
    shop.client.run(&format!(
        "select vb_set_job({job}, priority => 99, batch_size => 3, concurrency => 1)"
    ));
    let batches = "select count(*), coalesce(max(records), 0)::bigint as largest from vb_active_batches";
    wait::until("one small batch at a time", || {
        let row = shop.client.row(batches, &[]);
        (row.get::<i64>("count") == 1 && row.get::<i64>("largest") == 3).then_some(())
    });
    for _ in 0..20 {
        assert!(shop.client.row(batches, &[]).get::<i64>("count") <= 1);
    }
    let row = shop
        .client
        .row("select priority, batch_size from vb_progress($1::bigint)", &[&job]);
    assert_eq!((row.get::<i32>("priority"), row.get::<i32>("batch_size")), (99, 3));
    shop.client.run(&format!(
        "select vb_set_job({job}, batch_size => 200, concurrency => 0)"
    ));
    jobs::completed(&mut shop.client, job);
    let error = shop
        .client
        .error("select vb_set_job($1::bigint, priority => 5)", &[&job]);
    assert_eq!(error.code, "55000");
    let error = shop
        .client
        .error("select vb_set_job($1::bigint, concurrency => 65)", &[&job]);
    assert_eq!(error.code, "22023");
}

#[test]
fn nothing_new_is_begun_while_everything_is_paused() {
    let mut shop = Shop::open_in_step("");
    let set = |shop: &mut Shop, value: &str| {
        shop.client
            .run(&format!("alter system set vector_backfill.paused = {value}"));
        shop.client.reload();
    };
    set(&mut shop, "on");
    let sent = shop.texts_sent();
    services::add_notes(&mut shop.client, 1, 5_000, 10);
    let job = services::enqueue(&mut shop.client, 1, "double", 50);
    // A search is still answered, and by then the worker had its turn.
    for _ in 0..5 {
        assert_eq!(
            shop.client
                .rows("select * from vb_search(1, 'notes', 'note', 3)", &[])
                .len(),
            3
        );
    }
    assert_eq!(
        (jobs::progress(&mut shop.client, job).state.as_str(), shop.texts_sent()),
        ("queued", sent)
    );
    let told: i64 = shop.client.value(
        "select count(*) from vb_health() where finding like '%vector_backfill.paused%'",
        &[],
    );
    assert_eq!(told, 1);
    set(&mut shop, "off");
    jobs::completed(&mut shop.client, job);
    sync::settled(&mut shop.client);
    shop.agrees();
}

#[test]
fn a_provider_that_is_throttled_or_slow_holds_up_only_its_own_jobs() {
    let mut shop = Shop::open("");
    let stuck = ProviderDouble::start(Settings {
        latency: Duration::from_secs(20),
        ..Settings::default()
    });
    let throttled = ProviderDouble::start(Settings::default());
    throttled.follow(Box::new(|_| {
        Behaviour::error(429, "rate_limit", "too fast").with("retry-after", "5")
    }));
    services::register(&mut shop.client, "stuck", &stuck, ", requests_per_minute => 600");
    services::register(&mut shop.client, "throttled", &throttled, "");
    for client_id in [3, 4, 5] {
        services::add_notes(&mut shop.client, client_id, client_id as i32 * 10_000, 500);
    }
    let slow = services::enqueue(&mut shop.client, 3, "stuck", 20);
    let refused = services::enqueue(&mut shop.client, 4, "throttled", 20);
    jobs::until(&mut shop.client, slow, "its start", |now| now.state == "running");
    jobs::until(&mut shop.client, refused, "its start", |now| now.state == "running");
    wait::until("the slow provider to have all that it may", || {
        let batches: i64 = shop.client.value("select count(*) from vb_active_batches", &[]);
        (batches >= 4).then_some(())
    });
    let quick = services::enqueue(&mut shop.client, 5, "double", 20);
    let started = Instant::now();
    jobs::completed(&mut shop.client, quick);
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    assert_eq!(jobs::progress(&mut shop.client, slow).successful, 0);
}
