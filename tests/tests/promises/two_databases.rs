//! Two databases of one cluster work at the same time, each with its own worker and its own store.

use vb_tests::client::Client;
use vb_tests::cluster::Cluster;
use vb_tests::store::Store;
use vb_tests::{issues, jobs, wait, worker};

const ROWS: usize = 150;

#[test]
fn two_databases_work_at_the_same_time_each_with_its_own_worker_and_store() {
    let cluster = Cluster::start();
    let mut clients: Vec<Client> = ["north", "south"].map(|name| cluster.create_database(name)).into();
    for (number, client) in clients.iter_mut().enumerate() {
        issues::create(client);
        issues::add_long(client, 1, 1, ROWS, 15);
        client.run(&format!("update issues set title = 'database {number} ' || title"));
    }
    let jobs: Vec<i64> = clients
        .iter_mut()
        .map(|client| jobs::enqueue(client, 1, "issues"))
        .collect();

    wait::until("both jobs at work at the same time", || {
        let now: Vec<_> = clients
            .iter_mut()
            .zip(&jobs)
            .map(|(client, job)| jobs::progress(client, *job))
            .collect();
        assert!(
            now.iter().all(|job| !job.has_ended()),
            "one job ended before the other began: {now:#?}"
        );
        now.iter().all(|job| job.successful > 0).then_some(())
    });
    let pids: Vec<i32> = clients.iter_mut().map(worker::started).collect();
    assert_ne!(pids[0], pids[1]);
    for (client, pid) in clients.iter_mut().zip(&pids) {
        let shown: Vec<i32> = client.values("select pid from vb_worker_status", &[]);
        assert_eq!(shown, [*pid], "each database shows its own worker");
    }

    let mut stores = Vec::new();
    for (number, (client, job)) in clients.iter_mut().zip(&jobs).enumerate() {
        jobs::completed(client, *job);
        let store = Store::of(&cluster, client);
        assert_eq!(issues::assert_agreement(client, &store, 1), ROWS);
        let snippets: Vec<String> = client.values("select snippet from vb_search(1, 'issues', 'database', 20)", &[]);
        let others = format!("database {} ", 1 - number);
        assert!(
            !snippets.iter().any(|snippet| snippet.contains(&others)),
            "a search found the other database's rows"
        );
        stores.push(store);
    }
    assert_ne!(stores[0].socket(), stores[1].socket());
    let collections: Vec<String> = clients
        .iter_mut()
        .map(|client| client.value("select distinct collection from qdrant_vectors", &[]))
        .collect();
    let points: Vec<_> = stores
        .iter()
        .zip(&collections)
        .map(|(store, collection)| store.points(collection))
        .collect();
    assert!(points[0].is_disjoint(&points[1]), "the databases share point ids");
}
