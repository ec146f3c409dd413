//! What keeps workers, providers and changes from their work is found by its cause.

use vb_provider_double::behaviour::Behaviour;
use vb_provider_double::script;
use vb_provider_double::server::ProviderDouble;
use vb_provider_double::settings::Settings;
use vb_tests::cluster::Cluster;
use vb_tests::{issues, jobs, services, sync};

use crate::causes::{found, gone};
use crate::sync_shop::Shop;

#[test]
fn a_missing_worker_is_found_with_the_limit_that_keeps_it_from_starting() {
    let cluster = Cluster::with_settings("max_worker_processes = 0");
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 5);
    jobs::enqueue(&mut client, 1, "issues");
    for cause in ["worker_missing", "worker_slots"] {
        assert_eq!(found(&mut client, cause).get::<String>("severity"), "error");
    }
    found(&mut client, "not_preloaded");
}

#[test]
fn a_standby_says_that_it_is_one() {
    let primary = Cluster::start();
    let mut client = primary.create_database("shop");
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 5);
    jobs::backfill(&mut client, 1, "issues");
    let standby = primary.start_standby();
    let mut client = standby.connect("shop");
    assert_eq!(found(&mut client, "standby").get::<String>("severity"), "info");
    let all: Vec<String> = client.values("select cause from vb_health()", &[]);
    assert_eq!(all, ["standby"]);
}

#[test]
fn providers_that_cannot_be_used_are_found() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    client.run("alter system set vector_backfill.model_directory = '/no-models-here'");
    client.reload();
    let finding = found(&mut client, "provider_unavailable");
    assert!(
        finding.get::<String>("finding").contains("sentence_transformers"),
        "{finding:?}"
    );
    assert_eq!(found(&mut client, "no_provider").get::<String>("severity"), "error");
}

#[test]
fn services_that_do_not_answer_as_they_should_are_found() {
    let service = ProviderDouble::start(Settings {
        key: Some("sk-right".into()),
        ..Settings::default()
    });
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let key = services::key_file(&cluster, "key", "sk-right");
    services::register(&mut client, "cloud", &service, &format!(", api_key_ref => '{key}'"));
    services::create_notes(&mut client);
    services::add_notes(&mut client, 1, 1, 2_000);
    service.follow(Box::new(|_| Behaviour::error(503, "unavailable", "closed for today")));
    let job = services::enqueue(&mut client, 1, "cloud", 100);
    let finding = found(&mut client, "provider_unreachable");
    assert!(
        finding.get::<String>("finding").contains("closed for today"),
        "{finding:?}"
    );
    // What a service says may be what it was sent.
    client.run("create role watcher login; grant pg_monitor to watcher");
    let mut watcher = cluster.connect_as("shop", "watcher");
    let finding = found(&mut watcher, "provider_unreachable");
    assert!(
        !finding.get::<String>("finding").contains("closed for today"),
        "{finding:?}"
    );
    let reason: Option<String> = watcher.value(
        "select reason from vb_provider_status where name = 'cloud' and not available",
        &[],
    );
    assert!(reason.is_none_or(|reason| !reason.contains("closed for today")));
    let finding = found(&mut client, "job_held_up");
    assert_eq!(finding.get::<Option<i64>>("job_id"), Some(job));

    service.follow(Box::new(|_| {
        Behaviour::error(429, "rate_limit", "slowly").with("retry-after-ms", "100")
    }));
    let finding = found(&mut client, "provider_throttled");
    assert!(
        finding.get::<String>("hint").contains("requests_per_minute"),
        "{finding:?}"
    );

    service.follow(script::well());
    jobs::completed(&mut client, job);
    gone(&mut client, "job_held_up");
    gone(&mut client, "provider_unreachable");

    let key = services::key_file(&cluster, "other", "sk-wrong");
    client.run(&format!("select vb_set_provider('cloud', api_key_ref => '{key}')"));
    services::add_notes(&mut client, 2, 10_001, 10);
    let job = services::enqueue(&mut client, 2, "cloud", 100);
    let finding = found(&mut client, "job_stopped");
    assert_eq!(finding.get::<Option<i64>>("job_id"), Some(job));
    assert_eq!(finding.get::<Option<i64>>("client_id"), Some(2));
}

#[test]
fn changes_that_are_not_seen_or_wait_and_vectors_that_nobody_keeps_are_found() {
    let mut shop = Shop::open("");
    shop.client
        .run("update vb_counted_records set counted_at = counted_at - interval '8 days'");
    let finding = found(&mut shop.client, "collection_stale");
    assert!(
        finding
            .get::<String>("hint")
            .contains("vb_enable_sync('public.notes', '{content}')"),
        "{finding:?}"
    );
    sync::enable(&mut shop.client, "notes");
    gone(&mut shop.client, "collection_stale");

    let trigger: String = shop.client.value(
        "select tgname::text from pg_trigger where tgrelid = 'notes'::regclass order by tgtype & 1 desc limit 1",
        &[],
    );
    shop.client.run(&format!("alter table notes disable trigger {trigger}"));
    let finding = found(&mut shop.client, "triggers_missing");
    assert!(finding.get::<String>("finding").contains(&trigger), "{finding:?}");
    // What the hint says helps.
    shop.client
        .run("select vb_disable_sync('notes'); select vb_enable_sync('notes')");
    gone(&mut shop.client, "triggers_missing");
    shop.client.run(&format!("drop trigger {trigger} on notes"));
    found(&mut shop.client, "triggers_missing");
    shop.client
        .run("select vb_disable_sync('notes'); select vb_enable_sync('notes')");
    gone(&mut shop.client, "triggers_missing");
    shop.client.run(
        "do $$ declare t name; begin for t in select tgname from pg_trigger where tgrelid = 'notes'::regclass loop
                  execute format('drop trigger %I on notes', t); end loop; end $$",
    );
    found(&mut shop.client, "triggers_missing");
    shop.client
        .run("select vb_disable_sync('notes'); select vb_enable_sync('notes')");
    sync::settled(&mut shop.client);

    shop.client.run("alter system set vector_backfill.paused = on");
    shop.client.reload();
    shop.client
        .run("update notes set content = content || ' once more' where id < 5");
    shop.client.run(
        "update vb_changes set changed_at = changed_at - interval '10 minutes';
         update vb_pending_changes set changed_at = changed_at - interval '10 minutes'",
    );
    let finding = found(&mut shop.client, "changes_late");
    assert!(finding.get::<String>("finding").contains("notes"), "{finding:?}");
    shop.client.run("alter system reset vector_backfill.paused");
    shop.client.reload();
    gone(&mut shop.client, "changes_late");
}
