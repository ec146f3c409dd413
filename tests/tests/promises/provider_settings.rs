//! Providers are set in SQL: what is wrong is said, what is secret is nowhere.

use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::cluster::Cluster;
use vb_tests::{jobs, services};

#[test]
fn the_seeded_services_wait_for_their_key_and_endpoint_and_are_enabled_with_them() {
    let service = ProviderDouble::start(Settings {
        dimensions: 1536,
        key: Some("sk-right".into()),
        ..Settings::default()
    });
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let seeded: Vec<String> = client.values(
        "select concat_ws(' ', name, model, dimensions, enabled) from vb_providers order by name",
        &[],
    );
    assert_eq!(
        seeded,
        [
            "azure_openai text-embedding-3-small 1536 f",
            "openai text-embedding-3-small 1536 f",
            "sentence_transformers all-MiniLM-L6-v2 384 t"
        ]
    );
    let key = services::key_file(&cluster, "key", "sk-right");
    let is_enabled = "select enabled from vb_providers where name = 'azure_openai'";
    client.run(&format!(
        "select vb_set_provider('azure_openai', api_key_ref => '{key}')"
    ));
    assert!(!client.value::<bool>(is_enabled, &[]), "its endpoint is missing");
    client.take_notices();
    client.run(&format!(
        r#"select vb_set_provider('azure_openai', endpoint => '{}', options => '{{"local": true, "deployment": "d"}}')"#,
        service.base()
    ));
    assert!(client.value::<bool>(is_enabled, &[]));
    assert!(
        client
            .take_notices()
            .iter()
            .any(|notice| notice.message.contains("enabled"))
    );
    let check = client.row("select * from vb_check_provider('azure_openai')", &[]);
    assert!(check.get::<bool>("ok"), "{check:?}");
    assert_eq!(check.get::<i32>("dimensions"), 1536);
    assert!(service.calls()[0].path.starts_with("/openai/deployments/d/embeddings"));
    let status: Vec<String> = client.values(
        "select concat_ws(' ', name, available, reason) from vb_provider_status order by name",
        &[],
    );
    assert_eq!(status[0], "azure_openai t");
    assert_eq!(status[1], "openai f it is not enabled");
}

#[test]
fn what_is_wrong_with_a_provider_is_named_and_nothing_is_stored() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let wrong = [
        ("'Bad Name', kind => 'openai', model => 'm'", "Bad Name"),
        ("'new', model => 'm'", "kind"),
        ("'new', kind => 'openai'", "model"),
        ("'new', kind => 'cohere', model => 'm'", "cohere"),
        ("'new', kind => 'openai', model => ' '", "model"),
        ("'new', kind => 'openai', model => 'm', dimensions => -1", "dimensions"),
        ("'new', kind => 'openai', model => 'm', max_texts => -5", "max_texts"),
        ("'new', kind => 'openai', model => 'm', quality => 2", "quality"),
        (
            "'new', kind => 'openai', model => 'm', cost_per_million_tokens => -1",
            "cost",
        ),
        (
            "'new', kind => 'openai', model => 'm', cost_per_million_tokens => 'Infinity'",
            "cost",
        ),
        ("'new', kind => 'openai', model => 'm', client_id => -2", "client_id"),
        (
            "'new', kind => 'openai', model => 'm', endpoint => 'nowhere'",
            "no address",
        ),
        (
            "'new', kind => 'openai', model => 'm', endpoint => 'http://example.com'",
            "http",
        ),
        (
            "'new', kind => 'openai', model => 'm', endpoint => 'https://10.0.0.1'",
            "10.0.0.1",
        ),
        (
            "'new', kind => 'openai', model => 'm', options => '{\"lokal\": true}'",
            "lokal",
        ),
        (
            "'new', kind => 'openai', model => 'm', options => '{\"timeout_ms\": \"soon\"}'",
            "options",
        ),
        ("'new', kind => 'openai', model => 'm', options => '[]'", "options"),
        (
            "'new', kind => 'openai', model => 'm', options => '{\"headers\": {\"x-api-key\": \"abc\"}}'",
            "x-api-key",
        ),
        ("'new', kind => 'onnx', model => '../m'", "../m"),
        (
            "'new', kind => 'onnx', model => 'm', options => '{\"sha256\": {\"vocab.txt\": \"00\"}}'",
            "vocab.txt",
        ),
        (
            "'new', kind => 'onnx', model => 'm', options => '{\"sha256\": {\"model.onnx\": \"00\"}}'",
            "64 hexadecimal",
        ),
        (
            "'new', kind => 'openai', model => 'm', options => '{\"headers\": {\"accept-encoding\": \"gzip\"}}'",
            "accept-encoding",
        ),
        (
            "'new', kind => 'onnx', model => 'm', options => '{\"local\": true}'",
            "options",
        ),
        ("null, kind => 'openai', model => 'm'", "name"),
    ];
    for (arguments, named) in wrong {
        let error = client.error(&format!("select vb_set_provider({arguments})"), &[]);
        assert!(
            error.to_string().contains(named) && error.hint.is_some(),
            "{arguments}: {error}"
        );
        assert!(error.code.starts_with("22"), "{arguments}: {error}");
    }
    let error = client.error("select vb_drop_provider('nobody')", &[]);
    assert!(error.message.contains("nobody") && error.code == "42704", "{error}");
    let names: i64 = client.value("select count(*) from vb_providers", &[]);
    assert_eq!(names, 3);
}

#[test]
fn values_are_kept_changed_and_taken_away() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    client.run(
        "select vb_set_provider('mine', kind => 'openai_compatible', model => 'm', dimensions => 8,
             endpoint => 'https://tei.example.com/v1', api_key_ref => 'env:MY_KEY', max_texts => 7, quality => 0.5)",
    );
    client.run("select vb_set_provider('mine', max_texts => 9)");
    let stored = "select concat_ws(' ', kind, model, dimensions, endpoint, api_key_ref, max_texts, quality, enabled)
                  from vb_providers where name = 'mine'";
    let all: String = client.value(stored, &[]);
    assert_eq!(
        all,
        "openai_compatible m 8 https://tei.example.com/v1 env:MY_KEY 9 0.5 t"
    );
    client.run("select vb_set_provider('mine', api_key_ref => '', max_texts => 0, enabled => false)");
    let all: String = client.value(stored, &[]);
    assert_eq!(all, "openai_compatible m 8 https://tei.example.com/v1 0.5 f");
    let owner = "select client_id from vb_providers where name = 'mine'";
    client.run("select vb_set_provider('mine', client_id => 7)");
    assert_eq!(client.value::<Option<i64>>(owner, &[]), Some(7));
    client.run("select vb_set_provider('mine', client_id => -1)");
    assert_eq!(client.value::<Option<i64>>(owner, &[]), None);
    client.run("select vb_drop_provider('mine')");
    assert_eq!(
        client.value::<i64>("select count(*) from vb_providers where name = 'mine'", &[]),
        0
    );
}

#[test]
fn providers_as_changed_survive_a_dump() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    client.run("select vb_set_provider('openai', api_key_ref => 'env:MY_KEY', max_texts => 77)");
    client.run("select vb_set_provider('mine', kind => 'openai_compatible', model => 'm', dimensions => 8)");
    let stored = "select string_agg(p::text, ' ' order by name) from vb_providers p";
    let before: String = client.value(stored, &[]);
    cluster.connect("postgres").run("create database copy");
    let script = cluster.dump("shop");
    cluster.restore("copy", &script);
    let after: String = cluster.connect("copy").value(stored, &[]);
    assert_eq!(before, after);
}

#[test]
fn no_byte_of_a_key_is_found_anywhere_after_runs_that_fail() {
    let (right, wrong, given) = ("sk-Right7Q2xZ", "sk-Wrong9KpVb", "sk-Literal4MnTy");
    let misplaced = "sk-Header8LwQa";
    let service = ProviderDouble::start(Settings {
        key: Some(right.into()),
        ..Settings::default()
    });
    let cluster = Cluster::with_settings(
        "shared_preload_libraries = 'vector_backfill, pg_stat_statements'
         log_min_messages = debug1",
    );
    let mut client = cluster.create_database("shop");
    client.run("create extension pg_stat_statements");
    let reference = services::key_file(&cluster, "key", wrong);
    services::register(
        &mut client,
        "cloud",
        &service,
        &format!(", api_key_ref => '{reference}'"),
    );
    services::create_notes(&mut client);
    services::add_notes(&mut client, 1, 1, 50);
    let mut seen = String::new();
    let job = services::enqueue(&mut client, 1, "cloud", 100);
    let paused = jobs::until(&mut client, job, "a pause", |now| now.state == "paused");
    seen.push_str(&format!("{paused:?}"));
    seen.push_str(&format!(
        "{:?}",
        client.row("select * from vb_check_provider('cloud')", &[])
    ));
    seen.push_str(&client.error("select vb_embed('a text', 'cloud')", &[]).to_string());
    seen.push_str(
        &client
            .error("select vb_search(1, 'notes', 'a question')", &[])
            .to_string(),
    );
    services::key_file(&cluster, "key", right);
    client.run(&format!("select vb_resume({job})"));
    jobs::completed(&mut client, job);
    for options in [
        format!(r#"{{"headers": {{"x-api-key": "{misplaced}"}}}}"#),
        format!(r#"{{"headers": "Bearer {misplaced}"}}"#),
    ] {
        let error = client.error(&format!("select vb_set_provider('cloud', options => '{options}')"), &[]);
        seen.push_str(&error.to_string());
    }
    // A key in the place of a reference is refused, and the log does not show the statement.
    for statement in [
        format!("select vb_set_provider('cloud', api_key_ref => '{given}')"),
        format!("select vb_set_provider('new', kind => 'openai', model => 'm', api_key_ref => '{given}')"),
    ] {
        let error = client.error(&statement, &[]);
        assert!(
            error.hint.as_deref().is_some_and(|hint| hint.contains("file:")),
            "{error}"
        );
        seen.push_str(&error.to_string());
    }
    for table in [
        "vb_jobs",
        "vb_providers",
        "vb_provider_usage",
        "pg_stat_statements",
        "vb_health()",
    ] {
        seen.push_str(&client.value::<String>(
            &format!("select coalesce(string_agg(t::text, ' '), '') from {table} t"),
            &[],
        ));
    }
    // This session's own last statement is not of interest.
    seen.push_str(&client.value::<String>(
        "select coalesce(string_agg(t::text, ' '), '') from pg_stat_activity t",
        &[],
    ));
    seen.push_str(&cluster.log());
    seen.push_str(&cluster.dump("shop"));
    for key in [right, wrong, given, misplaced] {
        assert!(!seen.contains(key) && !seen.contains(&key[3..]), "{key} is found");
    }
}
