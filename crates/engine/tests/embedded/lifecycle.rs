//! Owning the directory, opening again, closing what nobody uses, recovering what is half made.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use vb_engine::store::contract::VectorStore;
use vb_engine::store::embedded::{EmbeddedOptions, EmbeddedStore};
use vb_engine::store::error::StoreError;

use super::{ensure, open};
use crate::conformance::data::{id, points, sorted_ids};
use crate::conformance::whole::Whole;
use crate::conformance::{all_ids, keeping};

#[tokio::test(flavor = "multi_thread")]
async fn reopening_keeps_everything() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let name = keeping::fill(&store).await;
    store.close().await;
    drop(store);
    keeping::check(&open(directory.path()), &name).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_store_without_closing_keeps_everything() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let name = keeping::fill(&store).await;
    drop(store);
    keeping::check(&open(directory.path()), &name).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_store_refuses_everything() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let name = keeping::fill(&store).await;
    store.close().await;
    store.close().await;
    assert!(matches!(store.size(&name).await, Err(StoreError::Transient(_))));
    assert!(matches!(
        store.drop_collection(&name).await,
        Err(StoreError::Transient(_))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_store_may_have_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let Err(StoreError::InUse(refused)) = EmbeddedStore::open(directory.path().to_owned(), EmbeddedOptions::default())
    else {
        panic!("a second store took the directory");
    };
    assert!(refused.contains(&*directory.path().to_string_lossy()), "{refused}");
    drop(store);
    open(directory.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn more_collections_than_may_be_open_all_work() {
    let directory = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions {
        open_shards: 3,
        ..EmbeddedOptions::default()
    };
    let store = EmbeddedStore::open(directory.path().to_owned(), options).unwrap();
    let name = |number: u64| format!("c{number}");
    for number in 0..10 {
        ensure(&store, &name(number), 16).await;
        store.put(&name(number), points(0..10 + number, 16)).await.unwrap();
        // Not flushed: closing does.
    }
    for number in (0..10).rev() {
        assert_eq!(store.size(&name(number)).await.unwrap(), 10 + number);
        store.flush(&name(number)).await.unwrap();
    }
    assert!(open_logs(directory.path()) <= 3);
    // All at the same time: none that is in use may be closed.
    let tasks = (0..200_u64).map(|task| {
        let (store, name) = (&store, name(task % 10));
        async move {
            store.put(&name, points(100 + task..101 + task, 16)).await.unwrap();
            store.flush(&name).await.unwrap();
        }
    });
    futures::future::join_all(tasks).await;
    for number in 0..10 {
        assert_eq!(store.size(&name(number)).await.unwrap(), 10 + number + 20);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_are_for_the_owner_only() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("new/store");
    let store = open(&root);
    ensure(&store, "docs", 8).await;
    for path in ["", "collections", "collections/docs", "scratch"] {
        let mode = fs::metadata(root.join(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{path:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_made_collection_is_made_whole() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for (name, inside) in [
        ("empty", ""),
        ("partly", "0b7c/wal"),
        ("with_segments", "0b7c/segments/9c1a"),
    ] {
        fs::create_dir_all(directory.path().join("collections").join(name).join(inside)).unwrap();
        assert!(matches!(store.size(name).await, Err(StoreError::NoCollection(_))));
        assert!(!store.collections().await.unwrap().contains(&name.to_owned()));
        ensure(&store, name, 8).await;
        store.put(name, points(0..3, 8)).await.unwrap();
        assert_eq!(store.size(name).await.unwrap(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_collection_leaves_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let name = keeping::fill(&store).await;
    store.drop_collection(&name).await.unwrap();
    for place in ["collections", "scratch"] {
        assert_eq!(
            fs::read_dir(directory.path().join(place)).unwrap().count(),
            0,
            "{place}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_while_others_write_hurts_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for round in 0..5_u64 {
        ensure(&store, "docs", 16).await;
        let writers = (0..8_u64).map(|task| {
            let store = &store;
            async move {
                for step in 0..5 {
                    let start = (task * 5 + step) * 10;
                    match store.put("docs", points(start..start + 10, 16)).await {
                        Ok(()) | Err(StoreError::NoCollection(_) | StoreError::Transient(_)) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
            }
        });
        let dropping = async {
            tokio::task::yield_now().await;
            store.drop_collection("docs").await.unwrap();
        };
        tokio::join!(futures::future::join_all(writers), dropping);
        assert!(
            matches!(store.size("docs").await, Err(StoreError::NoCollection(_))),
            "round {round}"
        );
        ensure(&store, "docs", 16).await;
        store.put("docs", points(0..10, 16)).await.unwrap();
        assert_eq!(all_ids(&store, "docs", 100).await, sorted_ids(0..10));
        store.erase("docs", vec![id(0)]).await.unwrap();
        store.drop_collection("docs").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_gives_up_disturbs_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    ensure(&store, "docs", 16).await;
    for number in 0..50_u64 {
        let start = number * 20;
        let upsert = async {
            store.put("docs", points(start..start + 20, 16)).await.unwrap();
            store.flush("docs").await.unwrap();
        };
        // Most of them are dropped somewhere in the middle.
        let _ = tokio::time::timeout(std::time::Duration::from_micros(number * 100), upsert).await;
    }
    store.put("docs", points(0..1_000, 16)).await.unwrap();
    store.flush("docs").await.unwrap();
    assert_eq!(store.size("docs").await.unwrap(), 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_whose_files_failed_is_opened_afresh() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    ensure(&store, "docs", 16).await;
    store.put("docs", points(0..100, 16)).await.unwrap();
    store.flush("docs").await.unwrap();

    let (there, away) = (directory.path().join("collections/docs"), directory.path().join("away"));
    fs::rename(&there, &away).unwrap();
    // Whether writing fails does not matter: it promises nothing.
    let _ = store.put("docs", points(100..200, 16)).await;
    assert!(matches!(store.flush("docs").await, Err(StoreError::Transient(_))));
    fs::rename(&away, &there).unwrap();

    let acknowledged = sorted_ids(0..100);
    let found = all_ids(&store, "docs", 1_000).await;
    assert!(acknowledged.iter().all(|id| found.contains(id)));
    store.put("docs", points(100..200, 16)).await.unwrap();
    store.flush("docs").await.unwrap();
    assert_eq!(all_ids(&store, "docs", 1_000).await, sorted_ids(0..200));
}

/// How many collections' logs this process has open below the directory.
fn open_logs(directory: &Path) -> usize {
    let logs = fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
    logs.filter(|path| path.starts_with(directory) && path.ends_with("wal"))
        .count()
}
