//! A plan says what a backfill would do and cost, and does nothing; starting does what the plan says.

use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::cluster::Cluster;
use vb_tests::{issues, jobs, services};

#[test]
fn tokens_are_estimated_within_a_tenth_on_real_rows_and_nothing_is_written() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 900);
    issues::add_long(&mut client, 1, 10_001, 60, 12);
    client.run("insert into issues (issue_id, client_id) values (50000, 1)");
    let plan = client.row(
        "select *, source::text as table from vb_plan_backfill(1, '{issues}')",
        &[],
    );
    assert_eq!(plan.get::<String>("table"), "issues");
    assert_eq!(plan.get::<i32>("priority"), 10);
    assert_eq!(plan.get::<i64>("record_count"), 961);
    assert_eq!(plan.get::<i64>("records_to_embed"), 960);
    assert_eq!(plan.get::<String>("preference"), "quality");
    assert_eq!(plan.get::<String>("provider"), "sentence_transformers");
    assert_eq!(plan.get::<i32>("batch_size"), 100);
    assert!(
        plan.get::<String>("reason").contains("openai: it is not enabled"),
        "{plan:?}"
    );
    let written: i64 = client.value(
        "select (select count(*) from vb_jobs) + (select count(*) from vb_sources)",
        &[],
    );
    assert_eq!(written, 0);
    let nothing: i64 = client.value("select count(*) from vb_plan_backfill(2, '{issues}')", &[]);
    assert_eq!(nothing, 0, "this client has no rows");

    let estimated = plan.get::<i64>("estimated_tokens") as f64;
    let spent = jobs::backfill(&mut client, 1, "issues").tokens as f64;
    assert!(
        (estimated / spent - 1.0).abs() <= 0.1,
        "estimated {estimated}, spent {spent}"
    );
    let again = client.row("select * from vb_plan_backfill(1)", &[]);
    let left = (
        again.get::<i64>("records_to_embed"),
        again.get::<i64>("estimated_tokens"),
    );
    assert_eq!(left, (0, 0), "what has its vector costs nothing");
}

#[test]
fn a_plan_knows_price_and_speed_and_a_collections_model() {
    let service = ProviderDouble::start(Settings::default());
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    services::register(
        &mut client,
        "cloud",
        &service,
        ", client_id => 1, cost_per_million_tokens => 2.5, speed => 50",
    );
    services::create_notes(&mut client);
    services::add_notes(&mut client, 1, 1, 12_000);
    let plan = client.row(
        "select *, estimated_cost::float8 as money, extract(epoch from estimated_duration)::float8 as seconds
         from vb_plan_backfill(1, '{notes}')",
        &[],
    );
    let asked = (
        plan.get::<String>("preference"),
        plan.get::<String>("provider"),
        plan.get::<i32>("batch_size"),
    );
    assert_eq!(asked, ("balanced".to_owned(), "cloud".to_owned(), 150));
    let tokens = plan.get::<i64>("estimated_tokens") as f64;
    // Counted with OpenAI's tokenizer: some 30 for each of these notes.
    assert!((20.0..45.0).contains(&(tokens / 12_000.0)), "{tokens}");
    assert!((plan.get::<f64>("money") - tokens * 2.5e-6).abs() < 1e-5);
    assert!(
        (plan.get::<f64>("seconds") - 240.0).abs() < 1.0,
        "at 50 records a second as configured"
    );
    assert_eq!(service.count(), 0, "nobody is called");
}

#[test]
fn starting_enqueues_all_registered_sources_the_most_urgent_first() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_short(&mut client, 7, 1, 20);
    services::create_notes(&mut client);
    services::add_notes(&mut client, 7, 1, 30);
    client.run("create table projects (id int primary key, client_id int, title text)");
    client.run("insert into projects values (1, 7, 'the first project')");
    client.run("create table workflows (id int primary key, client_id int, title text)");
    let started = client.rows(
        "select *, source::text as table from vb_start_backfill(7, '{notes,projects,issues,workflows}')",
        &[],
    );
    let shape: Vec<(String, i32, i64, i32)> = started
        .iter()
        .map(|row| {
            (
                row.get("table"),
                row.get("priority"),
                row.get("record_count"),
                row.get("batch_size"),
            )
        })
        .collect();
    let expected = [("issues", 10, 20, 100), ("projects", 9, 1, 100), ("notes", 5, 30, 100)]
        .map(|(table, priority, count, size)| (table.to_owned(), priority, count, size));
    assert_eq!(shape, expected);
    for row in &started {
        jobs::completed(&mut client, row.get("job_id"));
    }
    let registered: Vec<String> = client.values("select source::text from vb_plan_backfill(7)", &[]);
    assert_eq!(registered, ["issues", "projects", "notes"]);
}

#[test]
fn what_cannot_be_planned_is_said() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 5);
    let error = client.error("select * from vb_plan_backfill(-1)", &[]);
    assert!(error.message.contains("client_id") && error.hint.is_some(), "{error}");
    let error = client.error(
        "select * from vb_plan_backfill(1, array['issues', null]::regclass[])",
        &[],
    );
    assert!(error.message.contains("NULL"), "{error}");
    client.run("create table nothing_to_say (id int primary key, client_id int)");
    let error = client.error("select * from vb_plan_backfill(1, '{nothing_to_say}')", &[]);
    assert!(error.to_string().contains("nothing_to_say"), "{error}");
    client.run("update vb_providers set enabled = false");
    let plan = client.row("select * from vb_plan_backfill(1, '{issues}')", &[]);
    assert_eq!(plan.get::<Option<String>>("provider"), None);
    assert_eq!(plan.get::<Option<i64>>("estimated_tokens"), None);
    assert!(
        plan.get::<String>("reason")
            .contains("sentence_transformers: it is not enabled"),
        "{plan:?}"
    );
    client.run("create role reader; select vb_grant_access('reader', 1)");
    client.run("set role reader");
    let error = client.error("select * from vb_plan_backfill(1, '{issues}')", &[]);
    assert_eq!(error.code, "42501", "{error}");
    client.run("reset role");
}

#[test]
fn a_row_whose_text_cannot_be_computed_keeps_no_source_out_of_the_plan() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    client.run("create table facts (id int primary key, client_id bigint not null, n int)");
    client.run("create view ratios as select id, client_id, 'ten by n is ' || 10 / n as content from facts");
    client.run("select vb_configure_source('ratios', key_columns => '{id}')");
    client.run("insert into facts select n, 1, n - 7 from generate_series(1, 30) n");
    let plan = client.row("select * from vb_plan_backfill(1, '{ratios}')", &[]);
    assert_eq!(plan.get::<i64>("record_count"), 30);
    assert_eq!(plan.get::<String>("provider"), "sentence_transformers");
    assert_eq!(plan.get::<Option<i64>>("estimated_tokens"), None);
    let reason: String = plan.get("reason");
    assert!(
        reason.contains("tokens cannot be estimated: division by zero"),
        "{reason}"
    );
    let job: i64 = client.value("select job_id from vb_start_backfill(1, '{ratios}')", &[]);
    let done = jobs::completed(&mut client, job);
    assert_eq!((done.successful, done.failed), (29, 1));
}
