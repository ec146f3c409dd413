//! A Qdrant server that is away, is full or wants another key: jobs wait and go on, with the reason visible; and what the
//! settings of the server do.

use std::time::Duration;

use vb_qdrant_double::faults::{Fault, Rule};
use vb_qdrant_double::method::Method;
use vb_tests::{jobs, services, wait};

use crate::qdrant_shop::{ROWS, Shop};

#[test]
fn a_job_waits_for_a_server_that_is_away_says_so_and_pays_for_nothing_twice() {
    let mut shop = Shop::with(Duration::from_millis(50));
    let job = shop.enqueue();
    jobs::until(&mut shop.client, job, "some", |now| now.successful >= 60);
    shop.cluster.qdrant().commanded().stop();
    let waiting = jobs::until(&mut shop.client, job, "the reason", |now| {
        now.last_error
            .as_deref()
            .is_some_and(|reason| reason.contains("waits for store qdrant"))
    });
    assert_eq!(waiting.state, "running");
    let url = shop.cluster.qdrant().commanded().url();
    assert!(waiting.last_error.unwrap().contains(&url));
    let health = shop.health();
    assert!(
        health.iter().any(|finding| finding.contains("waits for store qdrant")),
        "{health:?}"
    );
    // A search says why it finds nothing.
    let refused = shop
        .client
        .error("select * from vb_search(1, 'notes', 'note number 7')", &[]);
    assert!(refused.message.contains(&url), "{refused:?}");
    shop.cluster.qdrant().commanded().restart().unwrap();
    jobs::completed(&mut shop.client, job);
    shop.assert_agreement();
    assert_eq!(shop.texts_sent(), ROWS as usize, "no text is embedded twice");
}

#[test]
fn a_job_that_waits_for_its_server_can_be_paused_and_cancelled() {
    let mut shop = Shop::open();
    shop.fault(Rule::new(Fault::Unavailable).on(Method::Upsert));
    let job = shop.enqueue();
    jobs::until(&mut shop.client, job, "the reason", |now| now.last_error.is_some());
    shop.client.run(&format!("select vb_pause({job})"));
    wait::until("the end of the batches", || {
        let left: i64 = shop.client.value("select count(*) from vb_active_batches", &[]);
        (left == 0).then_some(())
    });
    shop.cluster.qdrant().commanded().clear_faults();
    shop.client.run(&format!("select vb_resume({job})"));
    jobs::completed(&mut shop.client, job);
    shop.assert_agreement();
}

#[test]
fn a_server_without_room_pauses_the_job_with_the_reason() {
    for fault in [Fault::StorageFull, Fault::DiskFull] {
        let mut shop = Shop::open();
        shop.fault(Rule::new(fault).on(Method::Upsert).after(2));
        let job = shop.enqueue();
        let paused = jobs::until(&mut shop.client, job, "a pause", |now| now.state == "paused");
        let reason = paused.last_error.unwrap();
        assert!(reason.contains("storage") || reason.contains("space"), "{reason}");
        shop.cluster.qdrant().commanded().clear_faults();
        shop.client.run(&format!("select vb_resume({job})"));
        jobs::completed(&mut shop.client, job);
        shop.assert_agreement();
    }
}

#[test]
fn a_batch_that_met_the_fault_before_the_job_was_resumed_does_not_pause_it_again() {
    let mut shop = Shop::with(Duration::from_millis(300));
    shop.fault(Rule::new(Fault::StorageFull).on(Method::Upsert));
    let job = shop.enqueue();
    let mut other = shop.cluster.connect("shop");
    // While its row is locked the outcome of that batch cannot be recorded.
    let late: i64 = wait::until("two batches in flight", || {
        other.run("begin");
        let batches: Vec<i64> = other.values("select batch_id from vb_batches order by 1 for update", &[]);
        if batches.len() < 2 {
            other.run("rollback");
            return None;
        }
        other.run(&format!(
            "rollback; begin; select from vb_batches where batch_id = {} for update",
            batches[1]
        ));
        Some(batches[1])
    });
    jobs::until(&mut shop.client, job, "a pause", |now| now.state == "paused");
    shop.cluster.qdrant().commanded().clear_faults();
    shop.client.run(&format!("select vb_resume({job})"));
    let left: Vec<i64> = other.values("select batch_id from vb_batches", &[]);
    assert!(left.contains(&late), "{left:?}");
    other.run("commit");
    jobs::completed(&mut shop.client, job);
    shop.assert_agreement();
}

#[test]
fn a_rate_limit_slows_the_job_down_and_costs_no_attempt() {
    let mut shop = Shop::open();
    shop.fault(
        Rule::new(Fault::RateLimited { retry_after: 1 })
            .on(Method::Upsert)
            .after(1)
            .times(6),
    );
    let job: i64 = shop.client.value(
        "select vb_enqueue_backfill(1, 'notes', provider => 'double', batch_size => 100, max_retries => 0)",
        &[],
    );
    jobs::completed(&mut shop.client, job);
    shop.assert_agreement();
    assert_eq!(shop.texts_sent(), ROWS as usize);
}

#[test]
fn a_collection_that_was_replaced_goes_even_when_the_server_is_away_at_first() {
    let mut shop = Shop::open();
    shop.client
        .run("alter system set vector_backfill.request_timeout = '2s'");
    shop.client.reload();
    let job = shop.enqueue();
    jobs::completed(&mut shop.client, job);
    shop.fault(Rule::new(Fault::Unavailable).on(Method::DeleteCollection).times(1));
    let job: i64 = shop.client.value(
        "select vb_enqueue_backfill(1, 'notes', provider => 'double', reembed => true)",
        &[],
    );
    jobs::completed(&mut shop.client, job);
    wait::until("the end of the old collection", || {
        let left = shop.cluster.qdrant().commanded().collections();
        (left.len() == 1).then_some(())
    });
    wait::until("the end of what was to be removed", || {
        let left: i64 = shop.client.value("select count(*) from vb_collection_removals", &[]);
        (left == 0).then_some(())
    });
    shop.assert_agreement();
}

#[test]
fn an_alias_always_leads_to_the_collection_that_serves() {
    let mut shop = Shop::open();
    for reembed in [false, true] {
        let job: i64 = shop.client.value(
            "select vb_enqueue_backfill(1, 'notes', provider => 'double', reembed => $1)",
            &[&reembed],
        );
        jobs::completed(&mut shop.client, job);
        let serving: String = shop
            .client
            .value("select name from vb_collections where stage = 'serving'", &[]);
        let alias: String = shop
            .client
            .value("select alias from vb_collections where stage = 'serving'", &[]);
        assert!(alias.starts_with("client_1_notes_content_"), "{alias}");
        assert!(serving.starts_with("client_1_notes_content_"), "{serving}");
        wait::until("the alias", || {
            let calls = shop.cluster.qdrant().commanded().collection(&alias)?;
            (calls.created.collection_name == serving).then_some(())
        });
    }
}

#[test]
fn settings_of_the_server_that_change_are_followed_at_once() {
    let mut shop = Shop::open();
    shop.client
        .run("alter system set vector_backfill.qdrant_url = 'http://127.0.0.1:1'");
    shop.client.reload();
    let job = shop.enqueue();
    jobs::until(&mut shop.client, job, "the reason", |now| {
        now.last_error
            .as_deref()
            .is_some_and(|reason| reason.contains("127.0.0.1:1:"))
    });
    shop.client.run("alter system set vector_backfill.qdrant_url = ''");
    shop.client.reload();
    let paused = jobs::until(&mut shop.client, job, "a pause", |now| now.state == "paused");
    assert_eq!(
        paused.last_error.as_deref(),
        Some("vector_backfill.qdrant_url is not set")
    );
    shop.client.run("alter system reset vector_backfill.qdrant_url");
    shop.client
        .run("alter system set vector_backfill.qdrant_api_key_ref = 'sk-secret'");
    shop.client.reload();
    shop.client.run(&format!("select vb_resume({job})"));
    let paused = jobs::until(&mut shop.client, job, "a pause", |now| {
        now.state == "paused"
            && now
                .last_error
                .as_deref()
                .is_some_and(|reason| reason.contains("api_key_ref"))
    });
    assert!(!paused.last_error.unwrap().contains("sk-secret"));
    shop.client.run("alter system reset vector_backfill.qdrant_api_key_ref");
    shop.client.reload();
    shop.client.run(&format!("select vb_resume({job})"));
    jobs::completed(&mut shop.client, job);
    shop.assert_agreement();
}

#[test]
fn jobs_of_the_other_store_go_on_while_the_server_is_away() {
    let mut shop = Shop::with(Duration::from_millis(50));
    shop.client
        .run("alter system set vector_backfill.max_concurrent_batches = 1");
    shop.client.reload();
    shop.fault(Rule::new(Fault::Unavailable).on(Method::Upsert));
    let waiting = shop.enqueue();
    jobs::until(&mut shop.client, waiting, "a wait", |now| {
        now.last_error
            .as_deref()
            .is_some_and(|reason| reason.contains("waits for store"))
    });
    shop.client.run("alter system set vector_backfill.store = 'embedded'");
    shop.client.reload();
    services::add_notes(&mut shop.client, 2, 1_000, 100);
    let job = services::enqueue(&mut shop.client, 2, "double", 20);
    assert_eq!(jobs::completed(&mut shop.client, job).successful, 100);
    assert_eq!(jobs::progress(&mut shop.client, waiting).successful, 0);
    shop.cluster.qdrant().commanded().clear_faults();
    jobs::completed(&mut shop.client, waiting);
    shop.assert_agreement();
}

#[test]
fn collections_stay_in_their_store_when_the_setting_changes() {
    let mut shop = Shop::open();
    let job = shop.enqueue();
    jobs::completed(&mut shop.client, job);
    shop.client.run("alter system set vector_backfill.store = 'embedded'");
    shop.client.reload();
    services::add_notes(&mut shop.client, 2, 1_000, 10);
    services::add_notes(&mut shop.client, 1, 2_000, 10);
    for client in [1, 2] {
        let job = services::enqueue(&mut shop.client, client, "double", 20);
        assert_eq!(jobs::completed(&mut shop.client, job).successful, 10);
    }
    let stores: Vec<String> = shop.client.values(
        "select client_id || ' ' || store || ' ' || points from vb_collections order by 1",
        &[],
    );
    assert_eq!(stores, ["1 qdrant 310", "2 embedded 10"]);
    for (client, found) in [(1, "7"), (2, "1005")] {
        let nearest: Vec<String> = shop.client.values(
            &format!(
                "select record_id from vb_search({client}, 'notes', 'note number {found} says ' || md5('{found}'), 1)"
            ),
            &[],
        );
        assert_eq!(nearest, [found]);
    }
}
