//! What jobs did can be seen later: a sample every few seconds, fewer with age, gone with the job.

use std::time::Duration;

use vb_provider_double::script;
use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::{jobs, services, sync, wait};

/// A service that takes so long, and a database with so many notes of client 1.
fn shop(latency: Duration, notes: i32) -> (ProviderDouble, Cluster, Client) {
    let service = ProviderDouble::start(Settings {
        latency,
        ..Settings::default()
    });
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    services::register(&mut client, "cloud", &service, "");
    services::create_notes(&mut client);
    services::add_notes(&mut client, 1, 1, notes);
    (service, cluster, client)
}

/// Housekeeping is done once a minute, and by a worker that begins.
fn renew_worker(client: &mut Client) {
    client.run("select pg_terminate_backend(pid, 60000) from vb_worker_status");
}

/// All samples of a job: their records, and whether they say that they follow upon each other without overlap.
fn sampled(client: &mut Client, job: i64) -> i64 {
    let overlaps: i64 = client.value(
        "select count(*) from (
             select sampled_at - covers < lag(sampled_at) over (order by sampled_at) - interval '1 second' as laps
             from vb_throughput where job_id = $1::bigint) s where laps",
        &[&job],
    );
    assert_eq!(overlaps, 0);
    client.value(
        "select coalesce(sum(records), 0)::bigint from vb_throughput where job_id = $1::bigint",
        &[&job],
    )
}

#[test]
fn samples_tell_all_that_a_job_did_and_how_long_its_batches_took() {
    let (_service, cluster, mut client) = shop(Duration::from_millis(300), 1_000);
    client.run("alter system set vector_backfill.max_concurrent_batches = 1");
    client.reload();
    let job = services::enqueue(&mut client, 1, "cloud", 20);
    jobs::completed(&mut client, job);
    wait::until("samples of all its records", || {
        (sampled(&mut client, job) == 1_000).then_some(())
    });
    let row = client.row(
        "select count(*), sum(batches)::bigint as batches, sum(tokens)::bigint as tokens,
                bool_and(records_per_second >= 0 and tokens_per_second >= 0) as positive,
                bool_and(batch_latency_p50 >= interval '0.3 s' and batch_latency_p95 >= batch_latency_p50) as slow,
                max(covers) < interval '10 s' as fine
         from vb_throughput where job_id = $1::bigint",
        &[&job],
    );
    assert!(row.get::<i64>("count") >= 3, "{row:?}");
    assert_eq!(row.get::<i64>("batches"), 50, "{row:?}");
    assert_eq!(row.get::<i64>("tokens"), jobs::progress(&mut client, job).tokens);
    for fact in ["positive", "slow", "fine"] {
        assert!(row.get::<bool>(fact), "{fact}: {row:?}");
    }

    // Others see what is theirs.
    client
        .run("create role one login; create role other login; create role watcher login; grant pg_monitor to watcher");
    client.run("select vb_grant_access('one', 1); select vb_grant_access('other', 2)");
    for (role, sees) in [("one", true), ("other", false), ("watcher", true)] {
        let mut session = cluster.connect_as("shop", role);
        let samples: i64 = session.value("select count(*) from vb_throughput", &[]);
        assert_eq!(samples > 0, sees, "{role}");
        let jobs: i64 = session.value("select count(*) from vb_top", &[]);
        assert_eq!(jobs > 0, sees, "{role}");
    }

    client.run(&format!("select vb_forget({job})"));
    let left: i64 = client.value("select count(*) from vb_job_samples", &[]);
    assert_eq!(left, 0);
}

#[test]
fn samples_get_fewer_with_age_and_lose_nothing_but_detail() {
    let (_service, _cluster, mut client) = shop(Duration::ZERO, 20);
    let job = services::enqueue(&mut client, 1, "cloud", 20);
    jobs::completed(&mut client, job);
    // Four weeks of work.
    client.rows(
        "insert into vb_job_samples (job_id, sampled_at, covers, records, failed, tokens, batches, batch_latency_p50, batch_latency_p95)
         select $1::bigint, clock_timestamp() - interval '1 day' * 28 + interval '5 s' * n, 5, 10, 1, 100, 2, 0.5, case n % 12 when 0 then 3 else 1 end
         from generate_series(1, 28 * 17280 - 1) n",
        &[&job],
    );
    client.run("alter system set vector_backfill.job_retention = '21d'");
    client.reload();
    let of_the_kept =
        "select count(*) from vb_job_samples where sampled_at > clock_timestamp() - interval '21 days 1 hour'";
    let kept: i64 = client.value(of_the_kept, &[]);
    assert!(kept > 360_000);
    renew_worker(&mut client);
    wait::until("fewer samples", || {
        let left: i64 = client.value("select count(*) from vb_job_samples", &[]);
        (left < 4_000).then_some(())
    });
    let row = client.row(
        "select min(sampled_at) > clock_timestamp() - interval '21 days 2 hours' as retired,
                abs(sum(records) - 10 * 21 * 17280) < 10 * 720 * 2 as whole,
                count(*) filter (where sampled_at < clock_timestamp() - interval '8 days') between 13 * 24 - 2 and 13 * 24 + 2 as hours,
                count(*) filter (where sampled_at > clock_timestamp() - interval '50 minutes') > 570 as fine,
                bool_and(batch_latency_p50 = interval '0.5 s') as middle,
                bool_and(batch_latency_p95 = interval '3 s') filter (where covers > interval '59 s') as highest,
                bool_and(abs(records_per_second - 2) < 0.01) as rate
         from vb_throughput where records > 9 and batches <> 1",
        &[],
    );
    for fact in ["retired", "whole", "hours", "fine", "middle", "highest", "rate"] {
        assert!(row.get::<bool>(fact), "{fact}: {row:?}");
    }
}

#[test]
fn some_failed_records_can_be_put_back_to_work_and_others_not() {
    let (_service, _cluster, mut client) = shop(Duration::ZERO, 1);
    client.run(
        "create table numbers (id int primary key, client_id int, divisor int);
         insert into numbers select n, 1, n % 10 from generate_series(1, 50) n;
         create view quotients as select id, client_id, 'quotient ' || 100 / divisor as title from numbers;
         select vb_configure_source('quotients', key_columns => '{id}')",
    );
    let job = jobs::enqueue(&mut client, 1, "quotients");
    assert_eq!(jobs::completed(&mut client, job).failed, 5);
    client.run("update numbers set divisor = 1 where id in (10, 20, 30)");
    let records: i64 = client.value(
        "select vb_retry_failed($1::bigint, array['10', '20', 'no such record'])",
        &[&job],
    );
    assert_eq!(records, 2);
    let done = jobs::completed(&mut client, job);
    assert_eq!((done.successful, done.failed), (47, 3), "{done:?}");
    let left: Vec<String> = client.values("select record_id from vb_error_report order by 1", &[]);
    assert_eq!(left, ["30", "40", "50"]);
    let none: i64 = client.value("select vb_retry_failed($1::bigint, '{}')", &[&job]);
    assert_eq!(none, 0);
    let error = client.error("select vb_retry_failed($1::bigint, array[null])", &[&job]);
    assert_eq!(error.code, "22004", "{error}");
}

#[test]
fn the_short_view_fits_a_terminal() {
    let (_service, _cluster, mut client) = shop(Duration::ZERO, 20);
    client.run(
        r#"create table "A table whose name is longer than any terminal is wide" (id int primary key, client_id bigint, title text);
           insert into "A table whose name is longer than any terminal is wide" select n, 1234567890, 'number ' || n from generate_series(1, 20) n"#,
    );
    let job = client.value(
        r#"select vb_enqueue_backfill(1234567890, '"A table whose name is longer than any terminal is wide"', provider => 'cloud')"#,
        &[],
    );
    jobs::completed(&mut client, job);
    client.run("update vb_jobs set job_id = default, state = 'running', finished_at = null, records_per_second = 12345.67, total_records = 123456789, successful_records = 98765432, failed_records = 1234567");
    let rows = client.rows("select t.*, to_jsonb(t) as whole from vb_top t", &[]);
    assert_eq!(rows.len(), 1);
    // As psql draws it: each column as wide as its widest, with " | " between.
    let whole: serde_json::Value = rows[0].get("whole");
    let columns = whole.as_object().expect("a row is an object");
    let width: usize = columns
        .iter()
        .map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            text.chars().count().max(name.chars().count()) + 3
        })
        .sum();
    assert!(width <= 120, "{width}: {whole}");
}

#[test]
fn whoever_has_a_job_locked_holds_up_neither_the_samples_nor_the_work_of_others() {
    let (_service, cluster, mut client) = shop(Duration::ZERO, 40);
    services::add_notes(&mut client, 2, 1_001, 40);
    let held = services::enqueue(&mut client, 1, "cloud", 20);
    jobs::completed(&mut client, held);
    let other = services::enqueue(&mut client, 2, "cloud", 20);
    jobs::completed(&mut client, other);
    let mut tenant = cluster.connect("shop");
    tenant.rows("begin", &[]);
    client.rows(
        "insert into vb_job_samples (job_id, sampled_at, covers, records, failed, tokens, batches)
         select job_id, date_trunc('minute', clock_timestamp()) - interval '3 hours' + interval '5 s' * n, 5, 1, 0, 1, 1
         from vb_jobs, generate_series(0, 11) n",
        &[],
    );
    tenant.rows("select from vb_jobs where job_id = $1::bigint for update", &[&held]);
    let old = |client: &mut Client, job: i64| -> i64 {
        client.value(
            "select count(*) from vb_job_samples where job_id = $1::bigint and sampled_at < now() - interval '2 hours'",
            &[&job],
        )
    };
    renew_worker(&mut client);
    wait::until("one sample for a minute", || {
        (old(&mut client, other) == 1).then_some(())
    });
    assert_eq!(old(&mut client, held), 12);
    services::add_notes(&mut client, 2, 2_001, 40);
    let more = services::enqueue(&mut client, 2, "cloud", 20);
    jobs::completed(&mut client, more);
    tenant.rows("commit", &[]);
    renew_worker(&mut client);
    wait::until("the same of the other", || (old(&mut client, held) == 1).then_some(()));
}

#[test]
fn some_failed_records_of_changes_can_be_tried_again() {
    let (service, _cluster, mut client) = shop(Duration::ZERO, 1);
    let job = services::enqueue(&mut client, 1, "cloud", 20);
    jobs::completed(&mut client, job);
    sync::enable(&mut client, "notes");
    service.follow(script::refusing("poison"));
    client.run("insert into notes values (11, 1, 'poison says one'), (12, 1, 'poison says two')");
    let job = wait::until("two failed records", || {
        let found = client.rows(
            "select job_id from vb_job_status where kind = 'sync' and failed_records = 2",
            &[],
        );
        found.first().map(|row| row.get::<i64>("job_id"))
    });
    service.follow(script::well());
    let records: i64 = client.value("select vb_retry_failed($1::bigint, array['11'])", &[&job]);
    assert_eq!(records, 1);
    wait::until("its vector", || {
        let embedded: Vec<String> = client.values("select record_id from qdrant_vectors order by 1", &[]);
        (embedded == ["1", "11"]).then_some(())
    });
    let left: Vec<String> = client.values("select record_id from vb_error_report", &[]);
    assert_eq!(left, ["12"]);
}
