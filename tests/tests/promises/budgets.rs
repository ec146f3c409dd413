//! What jobs and clients may spend is never exceeded, and what stops for that goes on when there is more to spend.

use vb_provider_double::embedding;
use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::store::Store;
use vb_tests::{jobs, services, wait};

const ROWS: i64 = 500;

/// A cluster, a database in it with notes of clients 1 and 2, and a provider `cloud` that takes 0.02 for a token.
fn shop() -> (Cluster, Client, ProviderDouble) {
    let service = ProviderDouble::start(Settings::default());
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    services::register(&mut client, "cloud", &service, ", cost_per_million_tokens => 20000");
    services::create_notes(&mut client);
    services::add_notes(&mut client, 1, 1, ROWS as i32);
    services::add_notes(&mut client, 2, 10_000, 50);
    (cluster, client, service)
}

/// Tokens that the service took.
fn charged(service: &ProviderDouble) -> i64 {
    let calls = service.calls();
    let texts = calls.iter().flat_map(|call| &call.texts);
    texts.map(|text| embedding::tokens(text)).sum::<usize>() as i64
}

/// Waits until the job is paused, and gives the reason.
fn paused(client: &mut Client, job: i64) -> String {
    let now = jobs::until(client, job, "a pause", |now| now.state == "paused");
    now.last_error.unwrap_or_default()
}

#[test]
fn a_job_is_paused_before_it_spends_more_than_it_may_and_goes_on_when_it_may() {
    let (cluster, mut client, service) = shop();
    let job: i64 = client.value(
        "select vb_enqueue_backfill(1, 'notes', provider => 'cloud', batch_size => 20, max_tokens => 5000)",
        &[],
    );
    let reason = paused(&mut client, job);
    assert!(
        reason.starts_with(&format!("job {job} would exceed its limit of 5000 tokens: ")),
        "{reason}"
    );
    assert!(reason.contains("vb_set_job_limits"), "{reason}");
    let spent = charged(&service);
    assert!((4_900..=5_000).contains(&spent), "{spent}");
    let now = jobs::progress(&mut client, job);
    assert_eq!(now.tokens, spent);
    assert!(now.successful > 0);

    client.run(&format!("select vb_resume({job})"));
    assert!(paused(&mut client, job).contains("would exceed its limit"));
    assert!(charged(&service) <= 5_000);

    client.run(&format!(
        "select vb_set_job_limits({job}, max_cost => 120), vb_resume({job})"
    ));
    let reason = paused(&mut client, job);
    assert!(reason.contains("limit of a cost of 120"), "{reason}");
    let spent = charged(&service);
    assert!((5_900..=6_000).contains(&spent), "{spent}");

    client.run(&format!("select vb_set_job_limits({job}), vb_resume({job})"));
    let done = jobs::completed(&mut client, job);
    assert_eq!((done.successful, done.failed), (ROWS, 0));
    assert_eq!(done.tokens, charged(&service), "nothing was sent twice");
    let store = Store::of(&cluster, &mut client);
    assert_eq!(services::assert_agreement(&mut client, &store, 1), ROWS as usize);
}

#[test]
fn all_jobs_of_a_client_share_what_it_may_spend_in_a_day() {
    let (_cluster, mut client, service) = shop();
    client.run("create table more_notes as select id, client_id, content || ' again' as content from notes");
    client.run("alter table more_notes add primary key (id)");
    client.run("select vb_set_client_limits(1, max_tokens_per_day => 6000)");
    let enqueue = |client: &mut Client, table: &str| -> i64 {
        client.value(
            "select vb_enqueue_backfill(1, $1::text::regclass, provider => 'cloud', batch_size => 20)",
            &[&table],
        )
    };
    let both = [enqueue(&mut client, "notes"), enqueue(&mut client, "more_notes")];
    for job in both {
        let reason = paused(&mut client, job);
        assert!(reason.starts_with("client 1 on "), "{reason}");
        assert!(reason.contains("limit of 6000 tokens"), "{reason}");
    }
    let spent = charged(&service);
    assert!((5_500..=5_700).contains(&spent), "a twentieth is for searches: {spent}");

    let other = services::enqueue(&mut client, 2, "cloud", 20);
    assert_eq!(jobs::completed(&mut client, other).successful, 50, "others go on");
    let of_client: Vec<String> = client.values(
        "select concat_ws(' ', client_id, tokens, cost, max_tokens_per_day) from vb_client_spending order by 1",
        &[],
    );
    let others = charged(&service) - spent;
    let expected = [
        format!("1 {spent} {} 6000", cents(spent)),
        format!("2 {others} {}", cents(others)),
    ];
    assert_eq!(of_client, expected);

    // More to spend is noticed without vb_resume.
    client.run("select vb_set_client_limits(1)");
    for job in both {
        assert_eq!(
            jobs::until(&mut client, job, "completion", |now| now.state == "completed"
                || now.state == "paused")
            .failed,
            0
        );
        wait::until("completion", || {
            (jobs::progress(&mut client, job).state == "completed").then_some(())
        });
    }
    assert_eq!(jobs::progress(&mut client, both[0]).successful, ROWS);
}

/// What so many tokens cost, as Postgres writes it.
fn cents(tokens: i64) -> String {
    let text = format!("{}.{:02}", tokens * 2 / 100, tokens * 2 % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[test]
fn a_job_that_waits_for_the_next_day_goes_on_with_it_unless_somebody_paused_it() {
    let (_cluster, mut client, service) = shop();
    client.run("select vb_set_client_limits(1, max_cost_per_day => 40)");
    let job = services::enqueue(&mut client, 1, "cloud", 20);
    paused(&mut client, job);
    let spent = charged(&service);
    assert!((1_800..=1_900).contains(&spent), "a twentieth is for searches: {spent}");
    let until_midnight: bool = client.value(
        "select next_attempt_at at time zone 'UTC' - (date_trunc('day', now() at time zone 'UTC') + interval '1 day')
                between interval '0' and interval '10 seconds'
         from vb_jobs where job_id = $1::bigint",
        &[&job],
    );
    assert!(until_midnight);

    // Midnight, as far as a worker can tell that does not remember the day.
    client.run(
        "update vb_client_usage set day = day - 1; update vb_jobs set next_attempt_at = now();
         select pg_terminate_backend(pid, 60000) from vb_worker_status",
    );
    wait::until("another day's work", || (charged(&service) > 3_600).then_some(()));
    paused(&mut client, job);
    assert!(charged(&service) <= 3_800);
    let finding: String = client.value("select finding || hint from vb_health()", &[]);
    assert!(finding.contains("is paused until"), "{finding}");
    assert!(finding.contains("It goes on by itself"), "{finding}");

    client.run(&format!("select vb_pause({job})"));
    let wakes: bool = client.value(
        "select next_attempt_at is not null from vb_jobs where job_id = $1::bigint",
        &[&job],
    );
    assert!(!wakes, "who pauses a job means it");
    client.run("select vb_set_client_limits(1)");
    let other = services::enqueue(&mut client, 2, "cloud", 20);
    jobs::completed(&mut client, other);
    assert_eq!(jobs::progress(&mut client, job).state, "paused");
    client.run(&format!("select vb_resume({job})"));
    assert_eq!(jobs::completed(&mut client, job).successful, ROWS);
}

#[test]
fn limits_and_prices_that_change_hold_for_a_job_that_runs() {
    let (_cluster, mut client, service) = shop();
    client.run("select vb_set_provider('cloud', max_texts => 2, cost_per_million_tokens => 0)");
    let job: i64 = client.value(
        "select vb_enqueue_backfill(1, 'notes', provider => 'cloud', batch_size => 4, max_cost => 10)",
        &[],
    );
    jobs::until(&mut client, job, "a beginning", |now| now.successful > 0);
    client.run("select vb_set_provider('cloud', cost_per_million_tokens => 20000)");
    let reason = paused(&mut client, job);
    assert!(reason.contains("limit of a cost of 10"), "{reason}");
    let cost: f64 = client.value("select cost::float8 from vb_progress($1::bigint)", &[&job]);
    assert!(cost < 70.0, "a price that changes is noticed within a moment: {cost}");

    let spent = charged(&service);
    client.run(&format!("select vb_set_job_limits({job}), vb_resume({job})"));
    wait::until("more work", || (charged(&service) > spent + 100).then_some(()));
    client.run("select vb_set_client_limits(1, max_tokens_per_day => 1)");
    let reason = paused(&mut client, job);
    assert!(reason.contains("limit of 1 tokens"), "{reason}");
    assert!(jobs::progress(&mut client, job).successful < ROWS);
}

#[test]
fn searches_pay_from_what_their_client_may_spend_and_work_leaves_them_a_part() {
    let (cluster, mut client, service) = shop();
    let job = services::enqueue(&mut client, 2, "cloud", 20);
    jobs::completed(&mut client, job);
    let embedded = charged(&service);
    let search =
        |mode: &str| format!("select record_id from vb_search(2, 'notes', 'what note number says', mode => '{mode}')");
    // The transaction keeps to what it saw first.
    client.run("set datestyle = 'German'; set extra_float_digits = -15");
    let mut parked = cluster.connect("shop");
    parked.run("begin transaction isolation level repeatable read; select txid_current()");
    client.run("begin transaction isolation level repeatable read");
    client.values::<String>(&search("dense"), &[]);
    let question = charged(&service) - embedded;
    assert!(question > 0);
    client.run("commit");

    let most = embedded + 5 * question;
    client.run(&format!("select vb_set_client_limits(2, max_tokens_per_day => {most})"));
    client.run("begin transaction isolation level repeatable read");
    for _ in 0..4 {
        client.values::<String>(&search("dense"), &[]);
    }
    let refused = client.error(&search("dense"), &[]);
    client.run("rollback");
    assert_eq!(refused.code, "53400", "{refused}");
    assert!(refused.message.starts_with("client 2 on "), "{refused}");
    assert!(
        refused
            .message
            .contains(&format!("limit of {most} tokens: {most} are spent")),
        "{refused}"
    );
    assert_eq!(
        charged(&service),
        most,
        "the last question that fits is answered, the first that does not is not sent"
    );
    assert_eq!(client.error(&search("hybrid"), &[]).code, "53400");
    assert!(
        !client.values::<String>(&search("keyword"), &[]).is_empty(),
        "words cost nothing"
    );
    wait::until("the books", || {
        let booked: i64 = client.value("select tokens from vb_client_spending where client_id = 2", &[]);
        (booked == most).then_some(())
    });
    client.run("select pg_terminate_backend(pid, 60000) from vb_worker_status");
    assert_eq!(
        parked.error(&search("dense"), &[]).code,
        "53400",
        "another worker asks the books as they are now"
    );
    parked.run("rollback");
    let of_others: i64 = client.value("select count(*) from vb_client_spending where client_id <> 2", &[]);
    assert_eq!(of_others, 0);

    // Work may not take what is kept for searches.
    client.run(&format!(
        "select vb_set_client_limits(2, max_tokens_per_day => {})",
        most + question
    ));
    services::add_notes(&mut client, 2, 20_000, 1);
    let job = services::enqueue(&mut client, 2, "cloud", 20);
    let reason = paused(&mut client, job);
    assert!(reason.contains("of that for searches"), "{reason}");
    assert!(client.try_run(&search("dense")).is_ok());
    assert_eq!(charged(&service), most + question);
}

#[test]
fn limits_that_make_no_sense_are_refused_by_name() {
    let (_cluster, mut client, _service) = shop();
    for (call, name) in [
        ("vb_enqueue_backfill(1, 'notes', max_tokens => 0)", "max_tokens is 0"),
        ("vb_enqueue_backfill(1, 'notes', max_cost => 'NaN')", "max_cost is NaN"),
        ("vb_enqueue_backfill(1, 'notes', max_cost => -1)", "max_cost is -1"),
        ("vb_set_client_limits(-1, 5)", "client_id is -1"),
        ("vb_set_client_limits(1, -5)", "max_tokens_per_day is -5"),
        (
            "vb_set_client_limits(1, max_cost_per_day => 'infinity')",
            "max_cost_per_day is Infinity",
        ),
    ] {
        let error = client.error(&format!("select {call}"), &[]);
        assert_eq!(error.code, "22023", "{call}: {error}");
        assert!(error.message.contains(name), "{call}: {error}");
    }
    let error = client.error("select vb_set_job_limits(4711, 5)", &[]);
    assert!(error.message.contains("there is no job 4711"), "{error}");

    let job = services::enqueue(&mut client, 2, "cloud", 20);
    jobs::completed(&mut client, job);
    let error = client.error(&format!("select vb_set_job_limits({job}, 5)"), &[]);
    assert!(error.message.contains("spends nothing any more"), "{error}");
}
