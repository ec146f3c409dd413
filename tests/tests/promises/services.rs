//! Embedding services over HTTP do the main job as the local model does, whatever happens to them on the way.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use vb_provider_double::behaviour::Behaviour;
use vb_provider_double::call::Call;
use vb_provider_double::script;
use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::cluster::Cluster;
use vb_tests::store::Store;
use vb_tests::{jobs, services, wait};

#[test]
fn a_service_over_http_embeds_every_row_and_tokens_and_money_are_counted() {
    let service = ProviderDouble::start(Settings {
        key: Some("sk-right".into()),
        ..Settings::default()
    });
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let key = services::key_file(&cluster, "key", "sk-right");
    services::register(
        &mut client,
        "cloud",
        &service,
        &format!(", api_key_ref => '{key}', cost_per_million_tokens => 20000"),
    );
    services::create_notes(&mut client);
    services::add_notes(&mut client, 1, 1, 1_000);
    client.run("insert into notes select n, 1, 'the same text' from generate_series(2001, 2100) n");
    let job = services::enqueue(&mut client, 1, "cloud", 200);
    let done = jobs::completed(&mut client, job);
    assert_eq!((done.successful, done.failed), (1_100, 0));
    let store = Store::of(&cluster, &mut client);
    assert_eq!(services::assert_agreement(&mut client, &store, 1), 1_100);

    let calls = service.calls();
    let sent: usize = calls.iter().map(|call| call.texts.len()).sum();
    assert!(
        sent <= 1_000 + 6,
        "equal texts of a batch are sent once, {sent} were sent"
    );
    let charged: usize = calls
        .iter()
        .flat_map(|call| &call.texts)
        .map(|text| vb_provider_double::embedding::tokens(text))
        .sum();
    assert_eq!(done.tokens as usize, charged);
    let cost: f64 = client.value("select cost::float8 from vb_progress($1::bigint)", &[&job]);
    assert!((cost - charged as f64 * 0.02).abs() < 1e-6, "{cost}");
    wait::until("the report of what the provider did", || {
        let row = client.row(
            "select *, cost::float8 as money from vb_provider_status where name = 'cloud'",
            &[],
        );
        let counted = (row.get::<i64>("requests"), row.get::<i64>("tokens"));
        (counted == (calls.len() as i64, charged as i64) && row.get::<bool>("available")).then(|| {
            assert!((row.get::<f64>("money") - cost).abs() < 1e-6);
            assert_eq!(row.get::<String>("breaker"), "closed");
            assert!(row.get::<f32>("records_per_second") > 0.0);
        })
    });

    service.forget();
    let again = services::enqueue(&mut client, 1, "cloud", 200);
    jobs::completed(&mut client, again);
    assert_eq!(service.count(), 0, "unchanged text is never sent again");
    let found: Vec<String> = client.values(
        "select snippet from vb_search(1, 'notes', 'note number 7 says ' || md5('7'), 1)",
        &[],
    );
    assert!(found[0].starts_with("note number 7 "), "{found:?}");
    let vector: Vec<f32> = client.value("select vb_embed('a text', 'cloud')", &[]);
    assert_eq!(vector.len(), 32);
}

/// How long the outage lasts, and the call with which it begins.
const OUTAGE: Duration = Duration::from_secs(3);
const OUTAGE_BEGINS: usize = 300;

/// A fault for about one in twelve calls, each kind in turn, and an outage in the middle.
fn storm(call: &Call, outage: &OnceLock<Instant>) -> Behaviour {
    if call.number == OUTAGE_BEGINS {
        outage.get_or_init(Instant::now);
    }
    if outage.get().is_some_and(|begin| begin.elapsed() < OUTAGE) {
        return Behaviour::error(502, "bad_gateway", "nobody is there");
    }
    let poisoned = call.texts.iter().any(|text| text.contains("poison"));
    let slower = || Behaviour::error(429, "rate_limit_exceeded", "slower");
    match call.number % 240 {
        _ if poisoned => Behaviour::error(400, "invalid_request_error", "cannot stand poison"),
        7 => slower().with("retry-after-ms", "100"),
        92 => slower().with("retry-after", "1"),
        172 => slower(),
        57 => Behaviour::error(500, "server_error", "oops"),
        67 => Behaviour::Reset,
        77 => Behaviour::Close,
        87 => Behaviour::Truncated,
        97 => Behaviour::Html,
        107 => Behaviour::TooFew,
        117 => Behaviour::DoubleIndex,
        127 => Behaviour::Gigabyte { announced: true },
        137 => Behaviour::Late(Duration::from_secs(30)),
        147 => Behaviour::error(503, "unavailable", "later").with("retry-after", "1"),
        157 => Behaviour::Stalled(Duration::from_millis(200)),
        167 => Behaviour::Shuffled,
        177 => Behaviour::Decimals,
        187 => Behaviour::NotFinite,
        197 if call.number < 240 => Behaviour::error(429, "insufficient_quota", "no money"),
        207 if call.number < 240 => Behaviour::error(401, "invalid_api_key", "who are you"),
        217 if call.number < 240 => Behaviour::WrongDimensions,
        227 if call.number < 240 => Behaviour::Redirect("http://127.0.0.1:9/".into()),
        _ => Behaviour::Well,
    }
}

#[test]
fn a_storm_of_every_fault_loses_nothing_doubles_nothing_and_costs_few_calls_more() {
    let service = ProviderDouble::start_with(
        Settings {
            max_text_bytes: 4_000,
            ..Settings::default()
        },
        Box::new({
            let outage = OnceLock::new();
            move |call| storm(call, &outage)
        }),
    );
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    services::register(&mut client, "cloud", &service, "");
    client.run(r#"select vb_set_provider('cloud', max_texts => 20, options => '{"local": true, "timeout_ms": 1000}')"#);
    services::create_notes(&mut client);
    services::add_notes(&mut client, 1, 1, 20_000);
    client.run("update notes set content = 'poison ' || id where id in (5, 4000, 8000, 8001, 12345, 19999)");
    client.run("update notes set content = repeat(content, 200) where id in (77, 10000)");
    let job = services::enqueue(&mut client, 1, "cloud", 200);
    let mut pauses = 0;
    let done = loop {
        let now = jobs::until(&mut client, job, "its end or a pause", |now| {
            now.has_ended() || now.state == "paused"
        });
        if now.has_ended() {
            break now;
        }
        pauses += 1;
        assert!(pauses <= 4, "{now:?}");
        client.run(&format!("select vb_resume({job})"));
    };
    assert_eq!(done.state, "completed", "{done:?}");
    let store = Store::of(&cluster, &mut client);
    let points = services::assert_agreement(&mut client, &store, 1);
    let failed: Vec<i32> = client.values(
        "select record_id::int from vb_error_report where error_class in ('record', 'transient')",
        &[],
    );
    let at_fault = [5, 77, 4000, 8000, 8001, 10000, 12345, 19999];
    assert!(at_fault.iter().all(|id| failed.contains(id)), "{failed:?}");
    let errors: i64 = client.value("select count(*) from vb_error_report", &[]);
    assert_eq!((done.successful, done.failed), (20_000 - errors, errors));
    assert_eq!(points as i64, 20_000 - errors);
    assert!(errors <= 8 + 2, "hardly anything else is set aside: {errors}");
    let calls = service.count();
    assert!(calls <= 1_300, "{calls} calls where 1,000 would do without faults");
    println!("{calls} calls, {pauses} pauses, {errors} errors");
}

#[test]
fn a_record_at_which_the_service_breaks_costs_only_itself() {
    let service = ProviderDouble::start_with(
        Settings::default(),
        Box::new(|call| match call.texts.iter().any(|text| text.contains("crash")) {
            true => Behaviour::error(500, "server_error", "out of memory"),
            false => Behaviour::Well,
        }),
    );
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    services::register(&mut client, "cloud", &service, "");
    services::create_notes(&mut client);
    services::add_notes(&mut client, 1, 1, 300);
    client.run("update notes set content = 'crash' where id = 150");
    let job: i64 = client.value(
        "select vb_enqueue_backfill(1, 'notes', provider => 'cloud', batch_size => 100, max_retries => 1)",
        &[],
    );
    let done = jobs::completed(&mut client, job);
    assert_eq!((done.successful, done.failed), (299, 1));
    let row = client.row("select * from vb_error_report", &[]);
    assert_eq!(row.get::<String>("record_id"), "150");
    assert_eq!(row.get::<String>("error_class"), "transient");
    assert!(row.get::<String>("message").contains("out of memory"));
    let store = Store::of(&cluster, &mut client);
    services::assert_agreement(&mut client, &store, 1);
}

#[test]
fn an_outage_stops_nothing_for_good_and_is_said() {
    let service = ProviderDouble::start(Settings::default());
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    services::register(&mut client, "cloud", &service, "");
    services::create_notes(&mut client);
    services::add_notes(&mut client, 1, 1, 2_000);
    service.follow(Box::new(|_| Behaviour::error(503, "unavailable", "closed for today")));
    let job = services::enqueue(&mut client, 1, "cloud", 100);
    let waiting = jobs::until(&mut client, job, "its waiting", |now| now.last_error.is_some());
    assert_eq!(waiting.state, "running");
    assert!(
        waiting
            .last_error
            .is_some_and(|error| error.contains("closed for today"))
    );
    wait::until("the open breaker", || {
        let row = client.row(
            "select breaker, available, reason from vb_provider_status where name = 'cloud'",
            &[],
        );
        let is_open = row.get::<Option<String>>("breaker").as_deref() == Some("open");
        (is_open && !row.get::<bool>("available") && row.get::<Option<String>>("reason").is_some()).then_some(())
    });
    let findings: Vec<String> = client.values("select finding from vb_health()", &[]);
    assert!(
        findings.iter().any(|finding| finding.contains("closed for today")),
        "{findings:?}"
    );
    service.follow(script::well());
    let done = jobs::completed(&mut client, job);
    assert_eq!((done.successful, done.failed), (2_000, 0));
    assert_eq!(done.last_error, None);
}

#[test]
fn one_tenants_broken_key_pauses_that_tenants_jobs_only() {
    let service = ProviderDouble::start(Settings {
        key: Some("sk-right".into()),
        ..Settings::default()
    });
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    services::create_notes(&mut client);
    for (tenant, key) in [(1, "sk-wrong"), (2, "sk-right"), (3, "sk-right")] {
        let key = services::key_file(&cluster, &format!("key{tenant}"), key);
        services::register(
            &mut client,
            &format!("cloud{tenant}"),
            &service,
            &format!(", api_key_ref => '{key}', client_id => {tenant}"),
        );
        services::add_notes(&mut client, tenant, tenant as i32 * 1_000, 300);
    }
    let enqueued: Vec<i64> = (1..=3)
        .map(|tenant| jobs::enqueue(&mut client, tenant, "notes"))
        .collect();
    assert_eq!(jobs::completed(&mut client, enqueued[1]).successful, 300);
    assert_eq!(jobs::completed(&mut client, enqueued[2]).successful, 300);
    let paused = jobs::until(&mut client, enqueued[0], "a pause", |now| now.state == "paused");
    let reason = paused.last_error.unwrap();
    assert!(reason.contains("cloud1") && reason.contains("401"), "{reason}");
    services::key_file(&cluster, "key1", "sk-right");
    client.run(&format!("select vb_resume({})", enqueued[0]));
    assert_eq!(jobs::completed(&mut client, enqueued[0]).successful, 300);
    let used: Vec<String> = client.values("select current_provider from vb_job_status order by client_id", &[]);
    assert_eq!(
        used,
        ["cloud1", "cloud2", "cloud3"],
        "a client's own provider goes first"
    );
}

#[test]
fn a_job_goes_on_with_another_provider_of_the_same_model_and_with_no_other() {
    let first = ProviderDouble::start(Settings::default());
    let second = ProviderDouble::start(Settings::default());
    let other_model = ProviderDouble::start(Settings::default());
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    services::register(&mut client, "first", &first, "");
    services::register(&mut client, "second", &second, "");
    services::register(&mut client, "third", &other_model, "");
    client.run("select vb_set_provider('third', model => 'another-model')");
    services::create_notes(&mut client);
    services::add_notes(&mut client, 1, 1, 2_000);
    for broken in [
        Behaviour::error(401, "invalid_api_key", "who are you"),
        Behaviour::error(500, "server_error", "oops"),
    ] {
        let fault = broken.clone();
        first.follow(Box::new(move |call| match call.number {
            0..3 => Behaviour::Well,
            _ => fault.clone(),
        }));
        let job = services::enqueue(&mut client, 1, "first", 100);
        let done = jobs::completed(&mut client, job);
        assert_eq!((done.successful, done.failed), (2_000, 0));
        assert!(first.count() > 0 && second.count() > 0);
        let row = client.row("select current_provider, reason from vb_progress($1::bigint)", &[&job]);
        assert_eq!(row.get::<String>("current_provider"), "second");
        assert!(row.get::<String>("reason").contains("second has the same"), "{row:?}");
        let sent: usize = first
            .calls()
            .iter()
            .chain(&second.calls())
            .map(|call| call.texts.len())
            .sum();
        assert!(sent < 2_000 + 1_000, "what was embedded is not sent again: {sent}");
        first.forget();
        second.forget();
        client.run("update notes set content = content || ' again'");
        // A minute after a fault of its configuration a provider is tried again; a new one at once.
        client.run("select vb_set_provider('first', max_texts => 99)");
    }
    assert_eq!(other_model.count(), 0, "models are never mixed");
    let models: Vec<String> = client.values("select distinct model from qdrant_vectors", &[]);
    assert_eq!(models, ["test-model"]);
}

#[test]
fn a_job_that_is_told_to_wait_waits_without_churning_through_its_table() {
    let service = ProviderDouble::start_with(
        Settings::default(),
        Box::new(|call| match call.number {
            2 => Behaviour::error(429, "rate_limit_exceeded", "slower").with("retry-after", "6"),
            _ => Behaviour::Well,
        }),
    );
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    services::register(&mut client, "cloud", &service, "");
    services::create_notes(&mut client);
    services::add_notes(&mut client, 1, 1, 2_000);
    let job = services::enqueue(&mut client, 1, "cloud", 20);
    assert_eq!(jobs::completed(&mut client, job).successful, 2_000);
    let batches: i64 = client.value("select last_value from vb_batches_batch_id_seq", &[]);
    assert!(batches <= 100 + 20, "{batches} batches were read where 100 would do");
}

#[test]
fn two_broken_providers_of_one_model_are_waited_for_and_the_first_that_works_again_is_used() {
    let first = ProviderDouble::start_with(
        Settings::default(),
        Box::new(|_| Behaviour::error(500, "server_error", "oops")),
    );
    let second = ProviderDouble::start_with(
        Settings::default(),
        Box::new(|call| match call.number {
            0 => Behaviour::Well,
            _ => Behaviour::error(401, "invalid_api_key", "who are you"),
        }),
    );
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    services::register(&mut client, "first", &first, "");
    services::register(&mut client, "second", &second, "");
    services::create_notes(&mut client);
    services::add_notes(&mut client, 1, 1, 2_000);
    let job = services::enqueue(&mut client, 1, "second", 100);
    jobs::until(&mut client, job, "trouble with both", |_| {
        first.count() >= 5 && second.count() >= 2
    });
    first.follow(script::well());
    let done = jobs::completed(&mut client, job);
    assert_eq!((done.successful, done.failed), (2_000, 0));
    assert!(
        second.count() < 20,
        "a rejected key is not tried again and again: {}",
        second.count()
    );
    let store = Store::of(&cluster, &mut client);
    services::assert_agreement(&mut client, &store, 1);
}
