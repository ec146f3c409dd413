//! Searches against plain arithmetic.

use std::collections::HashSet;

use vb_engine::point::Point;
use vb_engine::store::contract::VectorStore;

use super::collection;
use super::data::{Embeddings, Random, id, nearest, payload, point, point_at, points};
use super::whole::Whole;

pub(crate) async fn a_search_equals_an_exact_scan(store: &dyn VectorStore) {
    for dimensions in [1, 2, 8, 384, 1_536] {
        let name = collection(store, dimensions).await;
        let all: Vec<Point> = points(0..300, dimensions);
        store.put(&name, all.clone()).await.unwrap();
        let mut random = Random::new(9);
        for _ in 0..20 {
            let vector = random.vector(dimensions);
            let expected = nearest(&all, &vector, 10);
            let hits = store.find(&name, vector, 10).await.unwrap();
            assert_eq!(hits.len(), 10);
            for (hit, (id, similarity)) in hits.iter().zip(&expected) {
                assert!(
                    (hit.score - similarity).abs() < 1e-4,
                    "{dimensions} dimensions: {} {similarity}",
                    hit.score
                );
                // With one dimension there are only two directions, and many points share the first place.
                assert!(dimensions == 1 || hit.id == *id, "{dimensions} dimensions: {hit:?}");
            }
        }
    }
}

pub(crate) async fn a_search_returns_the_payload_as_it_was_written(store: &dyn VectorStore) {
    let name = collection(store, 32).await;
    store.put(&name, points(0..30, 32)).await.unwrap();
    let hits = store.find(&name, point(11, 0, 32).vector, 30).await.unwrap();
    assert_eq!(hits.len(), 30);
    for hit in hits {
        let number: u64 = hit.payload.record_id.parse().unwrap();
        assert_eq!((hit.id, hit.payload), (id(number), payload(number, 0)));
    }
}

pub(crate) async fn a_search_finds_no_more_than_there_is(store: &dyn VectorStore) {
    let name = collection(store, 8).await;
    store.put(&name, points(0..5, 8)).await.unwrap();
    let vector = point(0, 0, 8).vector;
    let ids: HashSet<_> = store
        .find(&name, vector.clone(), 1_000)
        .await
        .unwrap()
        .iter()
        .map(|hit| hit.id)
        .collect();
    assert_eq!(ids, (0..5).map(id).collect());
    assert_eq!(store.find(&name, vector.clone(), 2).await.unwrap().len(), 2);
    assert!(store.find(&name, vector, 0).await.unwrap().is_empty());
}

pub(crate) async fn a_search_of_an_empty_collection_finds_nothing(store: &dyn VectorStore) {
    let name = collection(store, 8).await;
    assert!(store.find(&name, point(0, 0, 8).vector, 10).await.unwrap().is_empty());
}

/// Fills a collection, builds its index, and returns how many of the true ten nearest a search finds, on average, of 10.
/// Not among the promises every store is asked for at once: it takes a minute.
pub(crate) async fn recall_after_optimizing(store: &dyn VectorStore, number_of_points: u64) -> f64 {
    const QUERIES: usize = 200;
    let mut embeddings = Embeddings::new(2, 384);
    let name = collection(store, 384).await;
    let all: Vec<Point> = (0..number_of_points)
        .map(|number| point_at(number, 0, embeddings.vector()))
        .collect();
    for batch in all.chunks(1_000) {
        store.put(&name, batch.to_vec()).await.unwrap();
    }
    store.flush(&name).await.unwrap();
    store.optimize(&name).await.unwrap();
    assert_eq!(store.size(&name).await.unwrap(), number_of_points);

    let mut found = 0;
    for _ in 0..QUERIES {
        let vector = embeddings.vector();
        let expected: HashSet<_> = nearest(&all, &vector, 10).into_iter().map(|(id, _)| id).collect();
        let hits = store.find(&name, vector, 10).await.unwrap();
        found += hits.iter().filter(|hit| expected.contains(&hit.id)).count();
    }
    found as f64 / (QUERIES * 10) as f64
}
