//! A server that is away, slow, full, or cuts the connection: each has its error, and nothing that was not completed counts.

use std::time::Duration;

use vb_engine::store::contract::VectorStore;
use vb_engine::store::error::StoreError;
use vb_engine::store::qdrant::{QdrantOptions, QdrantStore};
use vb_qdrant_double::faults::{Fault, Rule};
use vb_qdrant_double::method::Method;

use super::{double, options, store_at};
use crate::conformance::collection;
use crate::conformance::data::points;
use crate::conformance::whole::Whole;

const DIMENSIONS: usize = 8;

/// What an upsert of ten points gives under a fault, and how many points are there afterwards.
async fn upsert_under(fault: Fault) -> (Result<(), StoreError>, u64) {
    let server = double();
    let store = store_at(&server);
    let name = collection(&store, DIMENSIONS).await;
    server.fault(Rule::new(fault).on(Method::Upsert));
    let result = store.put(&name, points(0..10, DIMENSIONS)).await;
    server.clear_faults();
    let left = store.size(&name).await.unwrap();
    // The store works as soon as the server does.
    store.put(&name, points(0..10, DIMENSIONS)).await.unwrap();
    assert_eq!(store.size(&name).await.unwrap(), 10);
    (result, left)
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable_and_says_where_it_should_be() {
    let server = double();
    let store = store_at(&server);
    let name = collection(&store, DIMENSIONS).await;
    store.put(&name, points(0..10, DIMENSIONS)).await.unwrap();
    server.stop();
    for _ in 0..2 {
        let error = store.put(&name, points(0..20, DIMENSIONS)).await.unwrap_err();
        let StoreError::Unavailable(message) = &error else {
            panic!("{error:?}")
        };
        assert!(message.contains(&server.url()), "{message}");
    }
    assert!(matches!(store.size(&name).await, Err(StoreError::Unavailable(_))));
    server.restart().unwrap();
    store.put(&name, points(0..20, DIMENSIONS)).await.unwrap();
    assert_eq!(store.size(&name).await.unwrap(), 20);
}

#[tokio::test]
async fn a_connection_cut_before_or_after_the_server_applied_leaves_it_unknown() {
    let (result, left) = upsert_under(Fault::CutBeforeApply).await;
    assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
    assert_eq!(left, 0);
    let (result, left) = upsert_under(Fault::CutAfterApply).await;
    assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
    assert_eq!(left, 10);
}

#[tokio::test]
async fn only_a_completed_write_counts() {
    for (fault, expected) in [(Fault::WaitTimeout, 10), (Fault::WaitTimeoutNotApplied, 0)] {
        let (result, left) = upsert_under(fault.clone()).await;
        assert!(
            matches!(result, Err(StoreError::Unavailable(_))),
            "{fault:?}: {result:?}"
        );
        assert_eq!(left, expected, "{fault:?}");
    }
    let server = double();
    let store = store_at(&server);
    let name = collection(&store, DIMENSIONS).await;
    store.put(&name, points(0..10, DIMENSIONS)).await.unwrap();
    server.fault(Rule::new(Fault::WaitTimeoutNotApplied).on(Method::Delete).times(1));
    let removal = vec![crate::conformance::data::id(3)];
    let error = store.erase(&name, removal.clone()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    store.erase(&name, removal).await.unwrap();
    assert_eq!(store.size(&name).await.unwrap(), 9);
}

#[tokio::test]
async fn a_server_that_does_not_answer_in_time_is_unavailable() {
    let server = double();
    let store = QdrantStore::open(QdrantOptions {
        request_timeout: Duration::from_millis(300),
        ..options(server.url())
    })
    .unwrap();
    let name = collection(&store, DIMENSIONS).await;
    server.fault(Rule::new(Fault::Hang).on(Method::Upsert));
    let error = store.put(&name, points(0..10, DIMENSIONS)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    server.clear_faults();
    store.put(&name, points(0..10, DIMENSIONS)).await.unwrap();
    assert_eq!(store.size(&name).await.unwrap(), 10);
}

#[tokio::test]
async fn a_rate_limit_says_when_to_come_back() {
    let (result, left) = upsert_under(Fault::RateLimited { retry_after: 7 }).await;
    let Err(StoreError::Throttled { retry_after, .. }) = result else {
        panic!("{result:?}")
    };
    assert_eq!((retry_after, left), (Duration::from_secs(7), 0));
}

#[tokio::test]
async fn a_server_without_room_is_full() {
    for fault in [Fault::StorageFull, Fault::DiskFull] {
        let (result, _) = upsert_under(fault.clone()).await;
        assert!(matches!(result, Err(StoreError::Full(_))), "{fault:?}: {result:?}");
    }
}

#[tokio::test]
async fn a_fault_of_the_servers_own_may_pass_and_a_cluster_partly_away_is_unavailable() {
    let (result, _) = upsert_under(Fault::Internal("Service internal error: something broke".into())).await;
    assert!(matches!(result, Err(StoreError::Transient(_))), "{result:?}");
    let (result, _) = upsert_under(Fault::Internal("Service internal error: 2 of 2 replicas failed".into())).await;
    assert!(matches!(result, Err(StoreError::Unavailable(_))), "{result:?}");
}

#[tokio::test]
async fn a_collection_that_somebody_removed_is_noticed_at_the_next_write() {
    let server = double();
    let store = store_at(&server);
    let name = collection(&store, DIMENSIONS).await;
    store.put(&name, points(0..10, DIMENSIONS)).await.unwrap();
    server.wipe();
    let error = store.put(&name, points(0..10, DIMENSIONS)).await.unwrap_err();
    assert!(matches!(error, StoreError::NoCollection(_)), "{error:?}");
    assert!(matches!(store.flush(&name).await, Err(StoreError::NoCollection(_))));
}

#[tokio::test]
async fn many_points_go_in_requests_of_at_most_256() {
    let server = double();
    let store = store_at(&server);
    let name = collection(&store, DIMENSIONS).await;
    store.put(&name, points(0..1_000, DIMENSIONS)).await.unwrap();
    let sent: Vec<usize> = server
        .calls()
        .iter()
        .filter(|call| call.method == Method::Upsert)
        .map(|call| call.points)
        .collect();
    assert_eq!(sent, [250, 250, 250, 250]);
}
