//! A dump that is read back in another cluster brings everything but secrets and vectors, and those are made again.

use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::store::Store;
use vb_tests::{jobs, services, wait};

/// What people have set, as text.
fn configuration(client: &mut Client) -> Vec<String> {
    client.values(
        "select x::text from vb_providers x
         union all select x::text from vb_source_settings x
         union all select x::text from vb_source_texts x
         union all select x::text from vb_client_limits x
         union all select x::text from vb_client_access x
         union all select x::text from vb_windows x
         union all select x::text from vb_backfill_schedules x
         union all select x::text from vb_audit_events x
         union all select s.source::text || s.vector_types::text || s.sync_role::text from vb_syncs s
         order by 1",
        &[],
    )
}

#[test]
fn a_dump_brings_configuration_grants_and_unfinished_jobs_to_another_cluster_but_no_secret() {
    let key = "sk-Dumped5QxWz";
    let original = Cluster::start();
    let mut client = original.create_database("shop");
    let reference = services::key_file(&original, "key", key);
    services::create_notes(&mut client);
    for (client_id, first, count) in [(1, 1, 30), (2, 1_001, 20)] {
        services::add_notes(&mut client, client_id, first, count);
    }
    client.run(&format!(
        "create role writer login; grant select on notes to writer;
         select vb_configure_source('notes', template => 'Note: {{content}}');
         select vb_grant_access('writer', 1, 'write'), vb_set_client_limits(2, max_records_per_day => 1000);
         select vb_set_window('01:00', '01:01'), vb_schedule_backfill(1, 'notes', '0 3 1 1 *');
         select vb_set_provider('cloud', kind => 'openai', model => 'm', dimensions => 8, endpoint => 'https://example.com',
             api_key_ref => '{reference}', enabled => true);
         create table drafts (like notes including all);
         insert into drafts values (1, 1, 'a draft')"
    ));
    jobs::backfill(&mut original.connect_as("shop", "writer"), 1, "notes");
    jobs::backfill(&mut client, 1, "drafts");
    client.run("select vb_enable_sync('drafts')");
    client.run("alter system set vector_backfill.paused = on");
    client.reload();
    let unfinished = jobs::enqueue(&mut client, 2, "notes");
    let before = configuration(&mut client);
    let script = original.dump("shop");
    assert!(
        script.contains("cloud") && !script.contains(key),
        "a key is in the dump"
    );

    // The other machine does not have it.
    std::fs::remove_file(reference.trim_start_matches("file:")).expect("the file can be removed");
    let copy = Cluster::start();
    copy.connect("postgres").run("create database shop");
    copy.connect("postgres").run("create role writer login");
    copy.restore("shop", &script);
    let mut client = copy.connect("shop");
    assert_eq!(configuration(&mut client), before);
    let reason: String = client.value("select reason from vb_provider_status where name = 'cloud'", &[]);
    assert!(reason.contains("key"), "the key stayed where it was: {reason}");

    // The first who asks for something starts the worker.
    let state: String = client.value("select vb_wait($1::bigint)", &[&unfinished]);
    assert_eq!(state, "completed");
    let done = jobs::progress(&mut client, unfinished);
    assert_eq!((done.successful, done.failed), (20, 0));
    let store = Store::of(&copy, &mut client);
    let rows = |client_id| format!("select id::text, 'Note: ' || content from notes where client_id = {client_id}");
    let agrees = |client: &mut Client, client_id, count| {
        let rows = rows(client_id);
        let expectation = vb_tests::agreement::Expectation {
            client_id,
            source: "notes",
            vector_type: "content",
            rows: &rows,
        };
        assert_eq!(
            vb_tests::agreement::assert_agreement(client, &store, expectation),
            count
        );
    };
    agrees(&mut client, 2, 20);

    // Grants came along, with the rights to call; the vectors of client 1 did not.
    let mut writer = copy.connect_as("shop", "writer");
    let found = writer.row("select * from vb_verify(1, 'notes')", &[]);
    assert_eq!(found.get::<i64>("missing_points"), 30);
    assert_eq!(writer.error("select * from vb_verify(2, 'notes')", &[]).code, "42501");
    let findings: Vec<String> = client.values("select finding from vb_health() where severity = 'error'", &[]);
    assert!(findings.iter().any(|finding| finding.contains("lacks")), "{findings:?}");
    let job: i64 = writer.value("select job_id from vb_verify(1, 'notes', repair => true)", &[]);
    jobs::completed(&mut client, job);
    agrees(&mut client, 1, 30);
    let found: Vec<String> = writer.values(
        "select record_id from vb_search(1, 'notes', 'note number 7', k => 30)",
        &[],
    );
    assert_eq!(found.len(), 30);

    // Changes are followed where they were.
    client.run("insert into drafts values (2, 1, 'another draft')");
    wait::until("the vector of a change", || {
        let count: i64 = client.value(
            "select count(*) from qdrant_vectors where source = 'drafts'::regclass",
            &[],
        );
        (count == 2).then_some(())
    });
}
