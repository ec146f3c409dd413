//! What keeps jobs from moving is found by its cause: what somebody holds up, what a job waits for, and what it set aside.

use std::time::Duration;

use vb_provider_double::behaviour::Behaviour;
use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::{jobs, services, wait};

use crate::causes::{found, gone};
use crate::hours::AROUND_NOW;

/// A service, and a database with notes of client 1.
fn shop(settings: &str) -> (ProviderDouble, Cluster, Client) {
    let service = ProviderDouble::start(Settings::default());
    let cluster = Cluster::with_settings(&format!("shared_preload_libraries = 'vector_backfill'\n{settings}"));
    let mut client = cluster.create_database("shop");
    services::register(&mut client, "cloud", &service, "");
    services::create_notes(&mut client);
    services::add_notes(&mut client, 1, 1, 300);
    (service, cluster, client)
}

#[test]
fn what_somebody_holds_up_is_found() {
    let (_service, _cluster, mut client) = shop("");
    client.run("begin");
    let job = services::enqueue(&mut client, 1, "cloud", 50);
    client.run(&format!("select vb_pause({job}); commit"));
    let finding = found(&mut client, "job_paused");
    assert_eq!(finding.get::<Option<i64>>("job_id"), Some(job));
    assert_eq!(finding.get::<Option<i64>>("client_id"), Some(1));
    assert!(finding.get::<String>("hint").contains("vb_resume"), "{finding:?}");

    client.run("alter system set vector_backfill.paused = on");
    client.reload();
    found(&mut client, "all_paused");
    client.run("alter system reset vector_backfill.paused");
    client.reload();
    gone(&mut client, "all_paused");

    client.run(&format!(
        "select vb_set_window({AROUND_NOW}, client_id => 1, time_zone => 'UTC')"
    ));
    let finding = found(&mut client, "hours_closed");
    assert_eq!(finding.get::<Option<i64>>("client_id"), Some(1));
    client.run("select vb_set_window(null, null, client_id => 1)");
    gone(&mut client, "hours_closed");

    client.run(&format!(
        "select vb_cancel({job}); select vb_schedule_backfill(1, 'notes', '* * * * * *', provider => 'cloud');
         alter table notes rename column content to something"
    ));
    let finding = found(&mut client, "schedule_failed");
    assert_eq!(finding.get::<Option<i64>>("client_id"), Some(1));
}

#[test]
fn what_a_client_has_spent_is_found() {
    let (_service, _cluster, mut client) = shop("");
    client.run("select vb_set_client_limits(1, max_tokens_per_day => 200)");
    let job = services::enqueue(&mut client, 1, "cloud", 20);
    let finding = found(&mut client, "budget_spent");
    assert_eq!(finding.get::<Option<i64>>("job_id"), Some(job));
    assert!(
        finding.get::<String>("hint").contains("vb_set_client_limits(1"),
        "{finding:?}"
    );
}

#[test]
fn a_job_that_cannot_go_on_is_found_and_its_source_that_is_gone() {
    let (_service, _cluster, mut client) = shop("");
    client.run("select vb_configure_source('notes', text_columns => '{content}'); begin");
    let job = services::enqueue(&mut client, 1, "cloud", 50);
    client.run(&format!(
        "select vb_pause({job}); commit; drop table notes; select vb_resume({job})"
    ));
    let finding = found(&mut client, "job_failed");
    assert_eq!(finding.get::<String>("severity"), "error");
    assert_eq!(finding.get::<Option<i64>>("job_id"), Some(job));
    let finding = found(&mut client, "source_missing");
    assert!(finding.get::<String>("finding").contains("notes"), "{finding:?}");
}

#[test]
fn a_job_whose_source_somebody_has_locked_is_found() {
    let (_service, cluster, mut client) = shop("");
    client.run("begin");
    let job = services::enqueue(&mut client, 1, "cloud", 50);
    client.run(&format!("select vb_pause({job}); commit"));
    let mut other = cluster.connect("shop");
    other.run("begin; lock table notes in access exclusive mode");
    client.run(&format!("select vb_resume({job})"));
    let finding = found(&mut client, "job_waiting");
    assert!(finding.get::<String>("hint").contains("vb_resume"), "{finding:?}");
    other.run("rollback");
    gone(&mut client, "job_waiting");
}

#[test]
fn a_running_job_that_does_not_move_is_found_with_its_batch() {
    let (service, _cluster, mut client) = shop("vector_backfill.request_timeout = '1h'");
    service.follow(Box::new(|_| Behaviour::Late(Duration::from_secs(3_600))));
    let job = services::enqueue(&mut client, 1, "cloud", 50);
    wait::until("a batch in flight", || {
        let batches: i64 = client.value("select count(*) from vb_active_batches", &[]);
        (batches > 0 && !service.calls().is_empty()).then_some(())
    });
    client.run(
        "update vb_jobs set updated_at = updated_at - interval '7 minutes';
         update vb_batches set started_at = started_at - interval '6 minutes'",
    );
    let finding = found(&mut client, "job_stalled");
    assert_eq!(finding.get::<Option<i64>>("job_id"), Some(job));
    assert!(
        finding.get::<String>("finding").contains("in flight for 00:06"),
        "{finding:?}"
    );
    assert!(
        finding.get::<String>("hint").contains("vb_check_provider('cloud')"),
        "{finding:?}"
    );

    // What only waits for its turn while others move is well.
    client.run(
        "update vb_batches set started_at = clock_timestamp();
         insert into vb_jobs (client_id, source, source_name, vector_type, preference, max_retries, priority, job_role, state)
         select 2, 'notes'::regclass, 'notes', 'content', 'auto', 3, 5, current_user::regrole, 'running'",
    );
    gone(&mut client, "job_stalled");
}

#[test]
fn many_failed_records_are_found_and_few_are_not() {
    let (_service, _cluster, mut client) = shop("");
    client.run(
        "create table numbers (id int primary key, client_id int, divisor int);
         insert into numbers select n, 1, case when n <= 5 then 0 else 1 end from generate_series(1, 40) n;
         create view quotients as select id, client_id, 'quotient ' || 100 / divisor as title from numbers;
         select vb_configure_source('quotients', key_columns => '{id}')",
    );
    let few = jobs::backfill(&mut client, 1, "quotients");
    assert_eq!(few.failed, 5);
    let findings: i64 = client.value("select count(*) from vb_health()", &[]);
    assert_eq!(findings, 0);
    client.run("update numbers set divisor = 0 where id <= 20");
    let job = jobs::enqueue(&mut client, 1, "quotients");
    jobs::completed(&mut client, job);
    let finding = found(&mut client, "many_failed_records");
    assert_eq!(finding.get::<Option<i64>>("job_id"), Some(job));
    let hint = finding.get::<String>("hint");
    let (query, _) = hint.split_once(';').expect("a statement");
    assert!(!client.rows(query, &[]).is_empty(), "{query}");
}
