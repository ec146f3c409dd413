//! Changes that are easily missed, and sessions that mean no good.

use vb_tests::{jobs, services, sync, wait};

use crate::sync_shop::Shop;

#[test]
fn what_a_session_puts_on_its_path_is_never_run_as_the_owner_of_the_extension() {
    let mut shop = Shop::open_in_step("");
    shop.client.run(
        "create role mallory; grant all on notes to mallory; grant create on schema public to mallory;
         create table caught (who text); grant all on caught to mallory; set role mallory",
    );
    for (arguments, element) in [("oid[]", "oid"), ("bigint[]", "bigint"), ("text[]", "text")] {
        shop.client.run(&format!(
            "create function public.unnest({arguments}) returns setof {element} language plpgsql volatile as $$ begin
                 insert into public.caught values (current_user); return query select x from pg_catalog.unnest($1) x; end $$"
        ));
    }
    shop.client
        .run("set search_path = public, pg_catalog; update notes set content = 'mallory says so' where id = 1");
    shop.client
        .run("set search_path = pg_catalog, public; update notes set content = 'mallory says more' where id = 2");
    shop.client.run("reset role; reset search_path");
    sync::settled(&mut shop.client);
    shop.agrees();
    assert_eq!(shop.client.value::<i64>("select count(*) from caught", &[]), 0);
    shop.client.run("set role mallory");
    for (call, code) in [
        ("select vb_enable_sync('notes')", "42501"),
        ("select vb_disable_sync('notes')", "42501"),
        (
            "create trigger t after insert on notes for each row execute function vb_sync_trigger()",
            "42501",
        ),
        ("select * from vb_sync_status()", "42501"),
    ] {
        assert_eq!(shop.client.error(call, &[]).code, code, "{call}");
    }
}

#[test]
fn rows_of_a_client_without_vectors_are_seen_in_a_statement_that_concerns_everybody() {
    let mut shop = Shop::open_in_step("");
    shop.client.run(
        "begin; truncate notes; insert into notes values (1, 1, 'one says hello'), (7, 7, 'seven says hello'); commit",
    );
    sync::settled(&mut shop.client);
    for client_id in [1, 2, 7] {
        services::assert_agreement(&mut shop.client, &shop.store, client_id);
    }
}

#[test]
fn a_transaction_that_began_before_changes_were_followed_is_followed_all_the_same() {
    let mut shop = Shop::open("");
    let mut old = shop.cluster.connect("shop");
    old.run("begin isolation level repeatable read");
    old.run("select count(*) from notes where client_id = 1");
    sync::enable(&mut shop.client, "notes");
    old.run("update notes set content = 'old eyes say so' where id = 5");
    old.run("commit");
    sync::settled(&mut shop.client);
    shop.agrees();
    old.run("update notes set content = 'and now they say more' where id = 6");
    sync::settled(&mut shop.client);
    shop.agrees();
}

#[test]
fn another_configuration_waits_for_those_who_write_and_is_followed() {
    let mut shop = Shop::open("");
    shop.client.run("alter table notes add title text");
    sync::enable(&mut shop.client, "notes");
    let mut writer = shop.cluster.connect("shop");
    writer.run("begin; update notes set title = 'titled' where id = 5");
    std::thread::scope(|scope| {
        let mut other = shop.cluster.connect("shop");
        let configured = scope.spawn(move || {
            other.run("select vb_configure_source('notes', text_columns => array['content', 'title'])");
        });
        wait::until("the configuration to wait", || {
            let waiting: i64 = shop
                .client
                .value("select count(*) from pg_locks where not granted", &[]);
            (waiting > 0).then_some(())
        });
        writer.run("commit");
        configured.join().expect("it is configured");
    });
    shop.client.run("update notes set title = 'later titled' where id = 6");
    sync::settled_after_a_look(&mut shop.client);
    let titled: i64 = shop.client.value(
        "select count(*) from qdrant_vectors v join notes n on n.id::text = v.record_id
         where n.id in (5, 6) and v.content_hash = sha256(convert_to(n.content || ' ' || n.title, 'UTF8'))",
        &[],
    );
    assert_eq!(titled, 2);
}

#[test]
fn a_transaction_may_drop_the_extension_after_it_has_changed_rows() {
    let mut shop = Shop::open_in_step("");
    shop.client
        .run("begin; update notes set content = 'the last says so' where id = 1; drop extension vector_backfill cascade; commit");
    shop.client.run("update notes set content = 'nobody hears it'");
    shop.client.run("create extension vector_backfill");
    services::register(&mut shop.client, "double", &shop.provider, "");
    for client_id in [1, 2] {
        let job = services::enqueue(&mut shop.client, client_id, "double", 50);
        jobs::completed(&mut shop.client, job);
    }
    sync::enable(&mut shop.client, "notes");
    shop.after("update notes set content = 'heard again, it says' where id < 5");
}

#[test]
fn failed_changes_are_set_aside_and_retried() {
    let mut shop = Shop::open_in_step("");
    shop.provider.follow(vb_provider_double::script::refusing("poison"));
    shop.client.run(
        "update notes set content = 'poison says one' where id = 3;
         update notes set content = 'cure says two' where id = 4",
    );
    sync::settled(&mut shop.client);
    let failed = "select failed from vb_sync_status()";
    assert_eq!(shop.client.value::<i64>(failed, &[]), 1);
    let named: String = shop.client.value("select record_id from vb_error_report", &[]);
    assert_eq!(named, "3");
    // Its text is another one: no longer at fault.
    shop.after("update notes set content = 'harmless says three' where id = 3");
    assert_eq!(shop.client.value::<i64>(failed, &[]), 0);
    shop.client
        .run("update notes set content = 'poison says again' where id = 3");
    sync::settled(&mut shop.client);
    assert_eq!(shop.client.value::<i64>(failed, &[]), 1);
    shop.provider.follow(vb_provider_double::script::well());
    let retried: i64 = shop.client.value(
        "select vb_retry_failed(job_id) from vb_jobs where kind = 'sync' and client_id = 1",
        &[],
    );
    assert_eq!(retried, 1);
    sync::settled_after_a_look(&mut shop.client);
    assert_eq!(shop.client.value::<i64>(failed, &[]), 0);
    shop.agrees();
    let error = shop.client.error(
        "select vb_cancel(job_id) from vb_jobs where kind = 'sync' and client_id = 1",
        &[],
    );
    let has_ended: bool = shop.client.value(
        "select finished_at is not null from vb_jobs where kind = 'sync' and client_id = 1",
        &[],
    );
    assert!(
        error.code == "55000" && error.message.contains("in step") != has_ended,
        "{error:?}"
    );
}

#[test]
fn an_outage_of_the_provider_only_delays_changes() {
    let mut shop = Shop::open_in_step("");
    shop.provider.follow(Box::new(|_| {
        vb_provider_double::behaviour::Behaviour::error(503, "down", "be back soon")
    }));
    shop.client
        .run("update notes set content = content || ' patience' where id < 20; delete from notes where id = 20");
    wait::until("an attempt", || (shop.provider.count() > 3).then_some(()));
    shop.provider.follow(vb_provider_double::script::well());
    shop.client
        .run("select vb_resume(job_id) from vb_jobs where kind = 'sync' and state = 'paused'");
    sync::settled(&mut shop.client);
    shop.agrees();
}

#[test]
fn a_dumped_database_goes_on_to_follow_what_was_pending() {
    let mut shop = Shop::open_in_step("");
    shop.client.run("alter system set vector_backfill.paused = on");
    shop.client.reload();
    // Positions of columns differ in the copy, which has no gaps.
    shop.client.run(
        "alter table notes add gone int; alter table notes drop gone; alter table notes add title text, add body text",
    );
    shop.client
        .run("select vb_configure_source('notes', text_columns => array['content', 'body'])");
    shop.client
        .run("update notes set body = 'pending says so' where id < 5; delete from notes where id = 6; insert into notes values (9000, 2, 'pending says hello')");
    let script = shop.cluster.dump("shop");
    shop.client.run("create database copy");
    shop.cluster.restore("copy", &script);
    shop.client.run("alter system set vector_backfill.paused = off");
    shop.client.reload();
    for database in ["copy", "shop"] {
        let mut client = shop.cluster.connect(database);
        // The first change starts a worker where there is none yet.
        client.run("insert into notes values (9001, 1, 'it goes on, it says')");
        sync::settled_after_a_look(&mut client);
        let store = vb_tests::store::Store::of(&shop.cluster, &mut client);
        for client_id in [1, 2] {
            let rows = format!(
                "select id::text, concat_ws(' ', nullif(content, ''), nullif(body, '')) from notes where client_id = {client_id}"
            );
            vb_tests::agreement::assert_agreement(
                &mut client,
                &store,
                vb_tests::agreement::Expectation {
                    client_id,
                    source: "notes",
                    vector_type: "content",
                    rows: &rows,
                },
            );
        }
        let columns: Vec<String> = client.value(
            "select text_columns::text[] from vb_sources where source = 'notes'::regclass",
            &[],
        );
        assert_eq!(columns, ["content", "body"]);
    }
}
