//! What is there after a store was closed and opened again: two halves, between which the caller does that.

use vb_engine::store::contract::VectorStore;

use super::data::{id, payload, point, points, sorted_ids};
use super::whole::Whole;
use super::{all_ids, collection};

const DIMENSIONS: usize = 32;

/// Fills a collection and returns its name.
pub(crate) async fn fill(store: &dyn VectorStore) -> String {
    let name = collection(store, DIMENSIONS).await;
    store.put(&name, points(0..2_000, DIMENSIONS)).await.unwrap();
    store.put(&name, vec![point(5, 1, DIMENSIONS)]).await.unwrap();
    store.erase(&name, (100..200).map(id).collect()).await.unwrap();
    store.flush(&name).await.unwrap();
    name
}

/// Checks that everything [`fill`] wrote is there, and nothing else.
pub(crate) async fn check(store: &dyn VectorStore, name: &str) {
    assert_eq!(store.size(name).await.unwrap(), 1_900);
    assert_eq!(all_ids(store, name, 300).await, sorted_ids((0..100).chain(200..2_000)));
    let replaced = store.find(name, point(5, 1, DIMENSIONS).vector, 1).await.unwrap();
    assert_eq!((replaced[0].id, &replaced[0].payload), (id(5), &payload(5, 1)));
    // And it takes more.
    store.put(name, points(0..2_000, DIMENSIONS)).await.unwrap();
    store.flush(name).await.unwrap();
    assert_eq!(store.size(name).await.unwrap(), 2_000);
}
