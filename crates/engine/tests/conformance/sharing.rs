//! Clients that have shares of one collection.

use uuid::Uuid;
use vb_engine::point::{Point, PointKey};
use vb_engine::store::contract::{CollectionSpec, Detail, VectorStore};
use vb_engine::store::error::StoreError;
use vb_engine::store::share::Share;

use super::data::{id, point, sorted_ids};
use super::whole::{Whole, id_of, nearest};

const DIMENSIONS: usize = 16;

/// A new collection that clients share.
pub(super) async fn shared(store: &dyn VectorStore, dimensions: usize) -> String {
    let name = format!("test_{}", Uuid::new_v4().simple());
    let spec = CollectionSpec {
        name: name.clone(),
        dimensions,
        is_shared: true,
        fields: Vec::new(),
    };
    store.ensure_collection(&spec).await.unwrap();
    name
}

/// A client's share.
pub(super) fn share(collection: &str, client: i64) -> Share {
    Share {
        collection: collection.to_owned(),
        client_id: Some(client),
    }
}

/// Points of a client.
fn points_of(client: i64, numbers: impl IntoIterator<Item = u64>) -> Vec<Point> {
    let of = |number| {
        let mut point = point(number, 0, DIMENSIONS);
        point.payload.client_id = client;
        point
    };
    numbers.into_iter().map(of).collect()
}

/// Client 1 has the points 0 to 99, client 2 those from 100 to 149, client -3 none.
async fn filled(store: &dyn VectorStore) -> (Share, Share, Share) {
    let name = shared(store, DIMENSIONS).await;
    let shares = (share(&name, 1), share(&name, 2), share(&name, -3));
    store.upsert(&shares.0, points_of(1, 0..100)).await.unwrap();
    store.upsert(&shares.1, points_of(2, 100..150)).await.unwrap();
    store.flush(&name).await.unwrap();
    shares
}

pub(crate) async fn a_client_sees_only_its_share(store: &dyn VectorStore) {
    let (one, two, three) = filled(store).await;
    assert_eq!(store.count(&one).await.unwrap(), 100);
    assert_eq!(store.count(&two).await.unwrap(), 50);
    assert_eq!(store.count(&three).await.unwrap(), 0);
    assert_eq!(store.size(&one.collection).await.unwrap(), 150);
    // Even when what is nearest is somebody else's.
    let question = point(7, 0, DIMENSIONS).vector;
    let hits = store.search(&two, nearest(question.clone(), 200)).await.unwrap();
    assert_eq!(hits.len(), 50);
    assert!(hits.iter().all(|hit| hit.payload.client_id == 2));
    let hits = store.search(&one, nearest(question.clone(), 1)).await.unwrap();
    assert_eq!(hits[0].id, id(7));
    assert!(store.search(&three, nearest(question, 200)).await.unwrap().is_empty());
}

pub(crate) async fn a_client_writes_only_to_its_share(store: &dyn VectorStore) {
    let (one, two, _) = filled(store).await;
    // Points that say they are another client's.
    assert!(matches!(
        store.upsert(&two, points_of(1, 0..1)).await,
        Err(StoreError::Configuration(_))
    ));
    // Keys of another client's points: neither replaced nor removed.
    store.upsert(&two, points_of(2, 5..6)).await.unwrap();
    store
        .delete(&two, vec![id(6).into(), id(7).into(), id(100).into()])
        .await
        .unwrap();
    assert_eq!(store.count(&one).await.unwrap(), 100);
    assert_eq!(store.count(&two).await.unwrap(), 49);
    let hits = store
        .search(&one, nearest(point(5, 0, DIMENSIONS).vector, 1))
        .await
        .unwrap();
    assert_eq!((hits[0].id, hits[0].payload.client_id), (id(5), 1));
    // Its own are replaced.
    let mut replaced = points_of(2, 101..102);
    replaced[0].payload.text_content = "another text".to_owned();
    store.upsert(&two, replaced).await.unwrap();
    let hits = store
        .search(&two, nearest(point(101, 0, DIMENSIONS).vector, 1))
        .await
        .unwrap();
    assert_eq!(hits[0].payload.text_content, "another text");
}

pub(crate) async fn clearing_a_share_leaves_the_others(store: &dyn VectorStore) {
    let (one, two, three) = filled(store).await;
    store.clear(&three).await.unwrap();
    store.clear(&one).await.unwrap();
    store.clear(&one).await.unwrap();
    assert_eq!(store.count(&one).await.unwrap(), 0);
    assert_eq!(store.count(&two).await.unwrap(), 50);
    store.upsert(&one, points_of(1, 0..3)).await.unwrap();
    assert_eq!(store.count(&one).await.unwrap(), 3);
}

pub(crate) async fn clearing_a_collection_leaves_it_empty(store: &dyn VectorStore) {
    let (one, _, _) = filled(store).await;
    let whole = Share::whole(one.collection.clone());
    store.clear(&whole).await.unwrap();
    assert_eq!(store.count(&whole).await.unwrap(), 0);
    store.upsert(&one, points_of(1, 0..3)).await.unwrap();
    assert_eq!(store.count(&whole).await.unwrap(), 3);
}

pub(crate) async fn scrolling_a_share_sees_each_of_its_points_once(store: &dyn VectorStore) {
    let (_, two, _) = filled(store).await;
    let mut seen: Vec<PointKey> = Vec::new();
    loop {
        let page = store
            .scroll(&two, seen.last().copied(), 7, Detail::Identity)
            .await
            .unwrap();
        assert!(page.iter().all(|point| point.identity.as_ref().unwrap().client_id == 2));
        let is_last = page.len() < 7;
        seen.extend(page.into_iter().map(|point| point.key));
        if is_last {
            break;
        }
    }
    let seen: Vec<Uuid> = seen.into_iter().map(id_of).collect();
    assert_eq!(seen, sorted_ids(100..150));
}
