//! What is wrong with stores is found by its cause.

use vb_tests::cluster::Cluster;
use vb_tests::{issues, jobs};

use crate::causes::{found, gone};
use crate::qdrant_shop::Shop;

#[test]
fn a_server_that_does_not_answer_is_found_until_it_does() {
    let mut shop = Shop::open();
    let job = shop.enqueue();
    jobs::until(&mut shop.client, job, "some", |now| now.successful >= 60);
    shop.cluster.qdrant().commanded().stop();
    let finding = found(&mut shop.client, "store_unreachable");
    assert_eq!(finding.get::<String>("severity"), "error");
    let url = shop.cluster.qdrant().commanded().url();
    assert!(finding.get::<String>("finding").contains(&url), "{finding:?}");
    assert!(
        finding.get::<String>("hint").contains("vector_backfill.qdrant_url"),
        "{finding:?}"
    );
    // What it says of an address is not for everybody.
    shop.client
        .run("create role watcher login; grant pg_monitor to watcher");
    let mut watcher = shop.cluster.connect_as("shop", "watcher");
    let finding = found(&mut watcher, "store_unreachable");
    assert!(!finding.get::<String>("finding").contains(&url), "{finding:?}");
    shop.cluster.qdrant().commanded().restart().expect("it can be started");
    gone(&mut shop.client, "store_unreachable");
    jobs::completed(&mut shop.client, job);
}

#[test]
fn a_copy_of_a_database_says_that_it_is_one() {
    let mut shop = Shop::open();
    let job = shop.enqueue();
    jobs::completed(&mut shop.client, job);
    shop.client = shop.cluster.connect("postgres");
    shop.client.run("create database copy template shop");
    let mut copy = shop.cluster.connect("copy");
    let finding = found(&mut copy, "database_copy");
    assert!(finding.get::<String>("hint").contains("vb_claim_store"), "{finding:?}");
}

#[test]
fn collections_that_are_gone_and_those_that_cannot_be_removed_are_found() {
    let cluster = Cluster::with_store(None, "shared_preload_libraries = 'vector_backfill'");
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 20);
    jobs::backfill(&mut client, 1, "issues");
    // As after a restore that left the folder out.
    let elsewhere = cluster.home().join("elsewhere");
    client.run(&format!(
        "alter system set vector_backfill.data_directory = '{}'",
        elsewhere.display()
    ));
    client.reload();
    let finding = found(&mut client, "collection_lost");
    assert!(finding.get::<String>("hint").contains("vb_verify"), "{finding:?}");
    client.run("alter system reset vector_backfill.data_directory");
    client.reload();
    gone(&mut client, "collection_lost");

    client.run("alter system set vector_backfill.qdrant_url = 'http://127.0.0.1:1'");
    client.reload();
    client.run(
        "insert into vb_collection_removals (store, name, is_shared, not_before)
         values ('qdrant', 'former', false, now() - interval '1 hour')",
    );
    found(&mut client, "removals_waiting");
}
