//! Copies of a database, which have the names and ids of their original.

use uuid::Uuid;
use vb_tests::{jobs, services, wait};

use crate::qdrant_shop::{ROWS, Shop};

#[test]
fn a_copy_of_the_database_leaves_the_collections_of_the_original_alone_until_it_is_told_to_take_them() {
    for is_dumped in [false, true] {
        claim_a_copy(is_dumped);
    }
}

fn claim_a_copy(is_dumped: bool) {
    let mut shop = Shop::open();
    let job = shop.enqueue();
    jobs::completed(&mut shop.client, job);
    if is_dumped {
        let script = shop.cluster.dump("shop");
        shop.client.run("create database copy");
        shop.cluster.restore("copy", &script);
    } else {
        // Nobody may be in it while it is copied.
        shop.client = shop.cluster.connect("postgres");
        shop.client.run("create database copy template shop");
        shop.client = shop.cluster.connect("shop");
    }
    let mut copy = shop.cluster.connect("copy");
    copy.run("delete from notes where id <= 100");
    let job = services::enqueue(&mut copy, 1, "double", 20);
    let paused = jobs::until(&mut copy, job, "a pause", |now| now.state == "paused");
    assert!(paused.last_error.unwrap().contains("this database is a copy"));
    let findings: Vec<String> = copy.values("select finding || ' ' || hint from vb_health()", &[]);
    assert!(
        findings
            .iter()
            .any(|finding| finding.contains("a copy") && finding.contains("vb_claim_store")),
        "{findings:?}"
    );
    for refused in [
        "select * from vb_purge_client(1)",
        "select * from vb_verify(1, 'notes', repair => true)",
        "select * from vb_search(1, 'notes', 'anything')",
        "select * from vb_move_store('embedded')",
    ] {
        let error = copy.error(refused, &[]);
        assert!(
            error.message.contains("this database is a copy"),
            "{refused}: {error:?}"
        );
    }
    shop.assert_agreement();
    assert!(!copy.value::<bool>("select vb_claim_store() and vb_claim_store()", &[]));
    shop.client = copy;
    wait::until("a worker that has noticed", || {
        shop.client
            .try_rows("select from vb_search(1, 'notes', 'anything')", &[])
            .ok()
    });
    shop.client.run(&format!("select vb_resume({job})"));
    jobs::completed(&mut shop.client, job);
    let left = services::assert_agreement(&mut shop.client, &shop.store, 1);
    assert_eq!(left, ROWS as usize - 100);
    assert!(!shop.health().iter().any(|finding| finding.contains("a copy")));
}

#[test]
fn copies_of_a_database_that_has_no_vectors_yet_are_installations_of_their_own() {
    let mut shop = Shop::open();
    // Whose worker has run gives its id to its copies.
    shop.client.rows("select * from vb_check_provider('double')", &[]);
    shop.client = shop.cluster.connect("postgres");
    for name in ["one", "two"] {
        shop.client.run(&format!("create database {name} template shop"));
    }
    let mut points = Vec::new();
    for name in ["one", "two"] {
        let mut copy = shop.cluster.connect(name);
        let job = services::enqueue(&mut copy, 1, "double", 50);
        jobs::completed(&mut copy, job);
        points.push(copy.values::<Uuid>("select point_id from qdrant_vectors order by 1", &[]));
        let findings: i64 = copy.value("select count(*) from vb_health()", &[]);
        assert_eq!(findings, 0);
    }
    assert_eq!((points[0].len(), points[1].len()), (ROWS as usize, ROWS as usize));
    assert_ne!(points[0], points[1]);
}
