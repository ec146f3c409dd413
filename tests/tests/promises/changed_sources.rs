//! What is declared of a source may change at any time, also in the middle of a job: the next look at it counts.

use vb_tests::agreement::{Expectation, assert_agreement};
use vb_tests::cluster::Cluster;
use vb_tests::store::Store;
use vb_tests::{issues, jobs};

const ROWS: usize = 150;

#[test]
fn a_source_whose_key_changes_is_embedded_anew_under_its_new_keys() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let store = Store::of(&cluster, &mut client);
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 20);
    jobs::backfill(&mut client, 1, "issues");

    let changes = [
        (
            "select vb_configure_source('issues', key_columns => '{client_id,issue_id}')",
            "jsonb_build_array(client_id::text, issue_id::text)::text",
        ),
        (
            "select vb_configure_source('issues', key_columns => '{issue_id}')",
            "issue_id::text",
        ),
        (
            "alter table issues alter issue_id type uuid using lpad(issue_id::text, 32, '0')::uuid",
            "issue_id::text",
        ),
        (
            "alter table issues alter issue_id type int using 1000 + right(issue_id::text, 6)::int",
            "issue_id::text",
        ),
        // The former keys are no values of the new type for another reason than their form.
        (
            "create domain small as int check (value < 1000); alter table issues alter issue_id type small \
             using issue_id - 1000",
            "issue_id::text",
        ),
    ];
    for (change, record_id) in changes {
        client.run(change);
        let found = client.rows("select * from vb_search(1, 'issues', 'a program')", &[]);
        assert!(
            found.is_empty(),
            "{change}: records under their old keys are found: {found:?}"
        );
        let done = jobs::backfill(&mut client, 1, "issues");
        assert_eq!((done.successful, done.removed), (20, 20), "{change}");
        let rows = format!("select {record_id}, {} from issues", issues::CONTENT);
        assert_eq!(assert_agreement(&mut client, &store, issues::expectation(1, &rows)), 20);
        let found = client.rows("select * from vb_search(1, 'issues', 'a program')", &[]);
        assert_eq!(found.len(), 10, "{change}");
    }
}

#[test]
fn another_template_in_the_middle_of_a_job_holds_for_all_its_records() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let store = Store::of(&cluster, &mut client);
    issues::create(&mut client);
    issues::add_long(&mut client, 1, 1, ROWS, 30);
    let job: i64 = client.value("select vb_enqueue_backfill(1, 'issues', batch_size => 20)", &[]);
    jobs::until(&mut client, job, "its first records", |now| now.successful > 0);
    client.run("select vb_configure_source('issues', template => 'No. {issue_id}: {title}')");
    jobs::completed(&mut client, job);
    let rows = "select issue_id::text, 'No. ' || issue_id || ': ' || title from issues";
    assert_eq!(
        assert_agreement(&mut client, &store, issues::expectation(1, rows)),
        ROWS
    );
}

#[test]
fn tables_that_swap_names_in_the_middle_of_a_job_keep_their_own_texts() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let store = Store::of(&cluster, &mut client);
    issues::create(&mut client);
    issues::add_long(&mut client, 1, 1, ROWS, 30);
    client.run(
        "create table others (like issues including all);
         insert into others select * from issues;
         update others set description = 'another ' || issue_id",
    );
    let job: i64 = client.value("select vb_enqueue_backfill(1, 'issues', batch_size => 20)", &[]);
    jobs::until(&mut client, job, "its first records", |now| now.successful > 0);
    client.run(
        "begin; alter table issues rename to third; alter table others rename to issues;
         alter table third rename to others; commit",
    );
    jobs::completed(&mut client, job);
    let rows = format!("select issue_id::text, {} from others", issues::CONTENT);
    let expectation = Expectation {
        source: "others",
        ..issues::expectation(1, &rows)
    };
    assert_eq!(assert_agreement(&mut client, &store, expectation), ROWS);
}

#[test]
fn a_collection_without_vectors_gives_way_to_the_right_dimensions() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let store = Store::of(&cluster, &mut client);
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 20);
    client.run("update vb_providers set dimensions = 512 where name = 'sentence_transformers'");
    let job = jobs::enqueue(&mut client, 1, "issues");
    let paused = jobs::until(&mut client, job, "a pause", |now| now.state == "paused");
    let reason = paused.last_error.expect("a paused job has a reason");
    assert!(reason.contains("384") && reason.contains("512"), "{reason}");

    client.run("update vb_providers set dimensions = 384 where name = 'sentence_transformers'");
    client.rows("select vb_resume($1::bigint)", &[&job]);
    jobs::completed(&mut client, job);
    assert_eq!(issues::assert_agreement(&mut client, &store, 1), 20);
}
