//! Writing, replacing, deleting, counting, scrolling.

use std::time::{Duration, Instant};

use futures::future::join_all;
use vb_engine::store::contract::VectorStore;

use super::data::{Embeddings, id, payload, point, point_at, points, sorted_ids};
use super::whole::Whole;
use super::{all_ids, collection};

const DIMENSIONS: usize = 16;

pub(crate) async fn a_repeated_upsert_changes_nothing(store: &dyn VectorStore) {
    let name = collection(store, DIMENSIONS).await;
    for _ in 0..3 {
        store.put(&name, points(0..50, DIMENSIONS)).await.unwrap();
        store.flush(&name).await.unwrap();
        assert_eq!(store.size(&name).await.unwrap(), 50);
    }
    let probe = point(7, 0, DIMENSIONS);
    let hits = store.find(&name, probe.vector, 1).await.unwrap();
    assert_eq!((hits[0].id, &hits[0].payload), (id(7), &payload(7, 0)));
}

pub(crate) async fn an_upsert_replaces_the_whole_point(store: &dyn VectorStore) {
    let name = collection(store, DIMENSIONS).await;
    store.put(&name, points(0..20, DIMENSIONS)).await.unwrap();
    store.put(&name, vec![point(7, 1, DIMENSIONS)]).await.unwrap();
    assert_eq!(store.size(&name).await.unwrap(), 20);

    let at_new = store.find(&name, point(7, 1, DIMENSIONS).vector, 1).await.unwrap();
    assert_eq!((at_new[0].id, &at_new[0].payload), (id(7), &payload(7, 1)));
    assert!(at_new[0].score > 0.999);
    let at_old = store.find(&name, point(7, 0, DIMENSIONS).vector, 20).await.unwrap();
    let moved = at_old.iter().find(|hit| hit.id == id(7)).unwrap();
    assert!(moved.score < 0.99, "the old vector is still found");
}

pub(crate) async fn one_upsert_may_hold_many_points(store: &dyn VectorStore) {
    let name = collection(store, DIMENSIONS).await;
    store.put(&name, points(0..5_000, DIMENSIONS)).await.unwrap();
    assert_eq!(store.size(&name).await.unwrap(), 5_000);
}

pub(crate) async fn an_empty_upsert_or_delete_is_no_error(store: &dyn VectorStore) {
    let name = collection(store, DIMENSIONS).await;
    store.put(&name, Vec::new()).await.unwrap();
    store.erase(&name, Vec::new()).await.unwrap();
    store.flush(&name).await.unwrap();
    assert_eq!(store.size(&name).await.unwrap(), 0);
}

pub(crate) async fn deleting_removes_what_is_there_and_forgives_what_is_not(store: &dyn VectorStore) {
    let name = collection(store, DIMENSIONS).await;
    store.put(&name, points(0..50, DIMENSIONS)).await.unwrap();
    for _ in 0..2 {
        store.erase(&name, vec![id(3), id(4), id(1_000)]).await.unwrap();
        store.flush(&name).await.unwrap();
    }
    assert_eq!(store.size(&name).await.unwrap(), 48);
    assert_eq!(
        all_ids(store, &name, 10).await,
        sorted_ids((0..50).filter(|n| *n != 3 && *n != 4))
    );
    let hits = store.find(&name, point(3, 0, DIMENSIONS).vector, 50).await.unwrap();
    assert!(hits.iter().all(|hit| hit.id != id(3) && hit.id != id(4)));
}

pub(crate) async fn a_deleted_point_can_be_written_again(store: &dyn VectorStore) {
    let name = collection(store, DIMENSIONS).await;
    for version in 0..3 {
        store.put(&name, vec![point(1, version, DIMENSIONS)]).await.unwrap();
        store.erase(&name, vec![id(1)]).await.unwrap();
        assert_eq!(store.size(&name).await.unwrap(), 0);
    }
    store.put(&name, vec![point(1, 9, DIMENSIONS)]).await.unwrap();
    let hits = store.find(&name, point(1, 9, DIMENSIONS).vector, 5).await.unwrap();
    assert_eq!(hits.len(), 1);
    assert_eq!(hits[0].payload, payload(1, 9));
}

pub(crate) async fn counts_are_exact(store: &dyn VectorStore) {
    let name = collection(store, DIMENSIONS).await;
    let mut expected = 0;
    for round in 0..10_u64 {
        store
            .put(&name, points(round * 100..round * 100 + 137, DIMENSIONS))
            .await
            .unwrap();
        expected = round * 100 + 137;
        assert_eq!(store.size(&name).await.unwrap(), expected);
    }
    store.erase(&name, (0..500).map(id).collect()).await.unwrap();
    assert_eq!(store.size(&name).await.unwrap(), expected - 500);
}

pub(crate) async fn scrolling_sees_every_point_once_and_in_order(store: &dyn VectorStore) {
    let name = collection(store, DIMENSIONS).await;
    assert!(store.page(&name, None, 10).await.unwrap().is_empty());
    store.put(&name, points(0..1_000, DIMENSIONS)).await.unwrap();
    let expected = sorted_ids(0..1_000);
    // Pages that divide the whole evenly, that do not, that hold it just so, and more.
    for page in [1, 7, 100, 999, 1_000, 1_001, 5_000] {
        assert_eq!(all_ids(store, &name, page).await, expected, "pages of {page}");
    }
    // After an id that is not there any more.
    store.erase(&name, vec![expected[499]]).await.unwrap();
    assert_eq!(
        store.page(&name, Some(expected[499]), 3).await.unwrap(),
        expected[500..503]
    );
    assert!(store.page(&name, Some(uuid::Uuid::max()), 3).await.unwrap().is_empty());
}

pub(crate) async fn concurrent_upserts_lose_nothing(store: &dyn VectorStore) {
    let name = collection(store, DIMENSIONS).await;
    let name = name.as_str();
    let tasks = (0..32_u64).map(|task| async move {
        for step in 0..10 {
            let start = (task * 10 + step) * 20;
            store.put(name, points(start..start + 20, DIMENSIONS)).await.unwrap();
            // One point that all tasks fight for.
            store.put(name, vec![point(1_000_000, task, DIMENSIONS)]).await.unwrap();
            store.flush(name).await.unwrap();
            store.erase(name, vec![id(start)]).await.unwrap();
        }
    });
    join_all(tasks).await;
    store.flush(name).await.unwrap();
    assert_eq!(store.size(name).await.unwrap(), 32 * 10 * 19 + 1);
    let left = (0..6_400).filter(|number| number % 20 != 0).chain([1_000_000]);
    assert_eq!(all_ids(store, name, 500).await, sorted_ids(left));
}

pub(crate) async fn concurrent_flushes_all_succeed(store: &dyn VectorStore) {
    let name = collection(store, DIMENSIONS).await;
    store.put(&name, points(0..100, DIMENSIONS)).await.unwrap();
    for flushed in join_all((0..50).map(|_| store.flush(&name))).await {
        flushed.unwrap();
    }
}

pub(crate) async fn a_hundred_thousand_points_are_kept_and_found(store: &dyn VectorStore) {
    const POINTS: u64 = 100_000;
    let began = Instant::now();
    let mut embeddings = Embeddings::new(1, 384);
    let name = collection(store, 384).await;
    let mut probe = None;
    for start in (0..POINTS).step_by(1_000) {
        let batch: Vec<_> = (start..start + 1_000)
            .map(|number| point_at(number, 0, embeddings.vector()))
            .collect();
        if start == 50_000 {
            probe = Some(batch[0].vector.clone());
        }
        store.put(&name, batch).await.unwrap();
        store.flush(&name).await.unwrap();
    }
    assert_eq!(store.size(&name).await.unwrap(), POINTS);
    assert_eq!(all_ids(store, &name, 10_000).await, sorted_ids(0..POINTS));
    let hits = store.find(&name, probe.unwrap(), 10).await.unwrap();
    assert_eq!(hits.len(), 10);
    assert_eq!((hits[0].id, &hits[0].payload), (id(50_000), &payload(50_000, 0)));
    store.drop_collection(&name).await.unwrap();
    let took = began.elapsed();
    println!(
        "100,000 points written, counted, scrolled, searched and dropped in {:.1} s",
        took.as_secs_f64()
    );
    assert!(took < Duration::from_secs(60), "took {took:?}");
}
