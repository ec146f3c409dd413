//! A restart of the server loses nothing, and with preload nobody has to do anything about it.

use vb_tests::cluster::{Cluster, Stop};
use vb_tests::store::Store;
use vb_tests::{issues, jobs, wait, worker};

#[test]
fn a_preloaded_server_goes_on_with_its_jobs_by_itself_and_still_finds_everything() {
    const ROWS: usize = 200;
    let mut cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let mut idle = cluster.create_database("idle");
    issues::create(&mut client);
    issues::add_long(&mut client, 1, 1, ROWS, 20);
    let job: i64 = client.value("select vb_enqueue_backfill(1, 'issues', batch_size => 20)", &[]);
    jobs::until(&mut client, job, "a part of it", |now| now.successful > 20);
    let made: Vec<String> = client.values("select record_id || embedded_at from qdrant_vectors", &[]);

    cluster.restart(Stop::Fast);
    client = cluster.connect("shop");
    wait::until("the end of the job without a call of ours", || {
        let state: String = client.value("select state from vb_jobs where job_id = $1::bigint", &[&job]);
        (state == "completed").then_some(())
    });

    let after: Vec<String> = client.values("select record_id || embedded_at from qdrant_vectors", &[]);
    assert!(
        made.iter().all(|reference| after.contains(reference)),
        "what was embedded before was made again"
    );
    let store = Store::of(&cluster, &mut client);
    assert_eq!(issues::assert_agreement(&mut client, &store, 1), ROWS);
    let preloaded: bool = client.value("select preloaded from vb_worker_status", &[]);
    assert!(preloaded);
    let find = "select record_id from vb_search(1, 'issues', 'a library for pictures', 5)";
    let found: Vec<String> = client.values(find, &[]);
    assert_eq!(found.len(), 5);

    cluster.restart(Stop::Fast);
    client = cluster.connect("shop");
    let again: Vec<String> = client.values(find, &[]);
    assert_eq!(again, found, "a search finds the same after a restart");
    assert_eq!(
        jobs::backfill(&mut client, 1, "issues").successful,
        0,
        "the store was not lost"
    );
    drop(std::mem::replace(&mut idle, cluster.connect("idle")));
    worker::started(&mut idle);
    cluster.connect("postgres").run("select 1");
    let strangers: i64 = idle.value(
        "select count(*) from pg_stat_activity
         where backend_type = 'vector_backfill worker' and datname not in ('shop', 'idle')",
        &[],
    );
    assert_eq!(strangers, 0, "a database without the extension has no worker");
}

#[test]
fn what_the_store_lost_while_the_server_was_down_is_made_again_by_the_next_job() {
    let mut cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_long(&mut client, 1, 1, 30, 20);
    jobs::backfill(&mut client, 1, "issues");
    let store = Store::of(&cluster, &mut client);
    let collections: Vec<String> = client.values("select name from vb_collections", &[]);
    drop(client);
    store.lose(&mut cluster, &collections);
    client = cluster.connect("shop");
    assert_eq!(jobs::backfill(&mut client, 1, "issues").successful, 30);
    assert_eq!(issues::assert_agreement(&mut client, &store, 1), 30);
    assert_eq!(jobs::backfill(&mut client, 1, "issues").total, 0);
}

#[test]
fn a_worker_follows_its_folder_when_the_settings_move_it() {
    let cluster = Cluster::start_not_preloaded();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 20);
    jobs::backfill(&mut client, 1, "issues");
    let first = worker::started(&mut client);
    client.run("alter system set vector_backfill.data_directory = 'elsewhere'");
    client.reload();
    wait::until("a worker in the new folder", || {
        worker::pid(&mut client).filter(|pid| *pid != first)
    });
    // Its process is seen before it has made the folder.
    let folder = cluster.data().join("elsewhere");
    wait::until("the new folder", || folder.is_dir().then_some(()));
    let job: i64 = client.value("select vb_enqueue_backfill(1, 'issues', reembed => true)", &[]);
    assert_eq!(jobs::completed(&mut client, job).successful, 20);
    let found = client.rows(
        "select record_id from vb_search(1, 'issues', 'a library for pictures', 5)",
        &[],
    );
    assert_eq!(found.len(), 5);
}

#[test]
fn the_folder_of_another_server_is_left_alone() {
    let mut cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 20);
    jobs::backfill(&mut client, 1, "issues");
    let store = Store::of(&cluster, &mut client);
    let mark = store.socket().with_file_name("installation");
    cluster.stop(Stop::Fast);
    let own = std::fs::read_to_string(&mark).unwrap();
    let (installation, _) = own.split_once('\n').unwrap();
    let others = format!("{installation}\n4711\n");
    std::fs::write(&mark, &others).unwrap();
    // Nor is that of a database that only the other server has.
    let orphan = mark.parent().unwrap().with_file_name("pgsql_tmp_999999");
    std::fs::create_dir(&orphan).unwrap();
    std::fs::write(orphan.join("installation"), others).unwrap();

    cluster.launch();
    wait::until("the worker's refusal", || {
        cluster
            .log()
            .contains("belongs to another server, with system identifier 4711")
            .then_some(())
    });
    cluster.stop(Stop::Fast);
    std::fs::write(&mark, own).unwrap();
    cluster.launch();
    client = cluster.connect("shop");
    let found = client.rows(
        "select record_id from vb_search(1, 'issues', 'a library for pictures', 5)",
        &[],
    );
    assert_eq!(found.len(), 5);
    assert!(orphan.is_dir(), "a worker removed the folder of another server");
}

#[test]
fn a_collection_that_nobody_names_is_removed_at_the_next_start() {
    // A server may keep collections of others too: there none is removed that we did not make.
    let cluster = Cluster::with_store(None, "");
    let mut client = cluster.create_database("shop");
    issues::create(&mut client);
    issues::add_short(&mut client, 1, 1, 20);
    jobs::backfill(&mut client, 1, "issues");
    let collections = Store::of(&cluster, &mut client).socket().with_file_name("collections");
    assert_eq!(std::fs::read_dir(&collections).unwrap().count(), 1);
    // As if the database had been restored to a moment before.
    client.run("delete from qdrant_vectors; delete from vb_collection_generations");
    let pid = worker::started(&mut client);
    client.run(&format!("select pg_terminate_backend({pid})"));
    client.run("select vb_embed('hello')");
    wait::until("the end of the collection", || {
        (std::fs::read_dir(&collections).unwrap().count() == 0).then_some(())
    });
}
