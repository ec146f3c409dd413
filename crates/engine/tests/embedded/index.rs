//! Building the index of large collections beside everything else.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vb_engine::store::contract::VectorStore;
use vb_engine::store::embedded::{EmbeddedOptions, EmbeddedStore};
use vb_engine::store::error::StoreError;

use super::{ensure, open};
use crate::conformance::data::{id, payload, point, points, sorted_ids};
use crate::conformance::whole::Whole;
use crate::conformance::{all_ids, searching};

/// With as many dimensions 8,000 points are worth an index.
const DIMENSIONS: usize = 1_024;
const ENOUGH: u64 = 8_000;

#[tokio::test(flavor = "multi_thread")]
async fn an_index_finds_what_an_exact_scan_finds() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let began = Instant::now();
    let recall = searching::recall_after_optimizing(&store, 30_000).await;
    println!(
        "recall@10 {recall:.4} on 30,000 points, all in {:.1} s",
        began.elapsed().as_secs_f64()
    );
    assert!(has_index(directory.path()));
    assert!(recall >= 0.95, "recall@10 is {recall}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_collection_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    ensure(&store, "docs", 16).await;
    store.optimize("docs").await.unwrap();
    store.put("docs", points(0..2_000, 16)).await.unwrap();
    store.optimize("docs").await.unwrap();
    assert!(!has_index(directory.path()));
    assert_eq!(store.size("docs").await.unwrap(), 2_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn writing_deleting_and_searching_go_on_while_an_index_is_built() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(filled(directory.path()).await);
    let building = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.optimize("docs").await }
    });
    // Waits for its turn, finds nothing left to do.
    let again = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.optimize("docs").await }
    });

    let (mut rounds, mut slowest) = (0, Duration::ZERO);
    while !building.is_finished() && rounds < 400 {
        let began = Instant::now();
        store
            .put(
                "docs",
                vec![point(rounds, 1, DIMENSIONS), point(ENOUGH + rounds, 0, DIMENSIONS)],
            )
            .await
            .unwrap();
        store.erase("docs", vec![id(1_000 + rounds)]).await.unwrap();
        store.flush("docs").await.unwrap();
        let hits = store
            .find("docs", point(rounds, 1, DIMENSIONS).vector, 3)
            .await
            .unwrap();
        assert_eq!((hits[0].id, &hits[0].payload), (id(rounds), &payload(rounds, 1)));
        slowest = slowest.max(began.elapsed());
        rounds += 1;
    }
    println!("{rounds} rounds while the index was built, the slowest took {slowest:?}");
    building.await.unwrap().unwrap();
    again.await.unwrap().unwrap();
    assert!(rounds > 5, "the index was built before anything could go on beside it");
    assert!(has_index(directory.path()));

    let left = (0..ENOUGH + rounds).filter(|number| !(1_000..1_000 + rounds).contains(number));
    let left = sorted_ids(left);
    assert_eq!(store.size("docs").await.unwrap(), left.len() as u64);
    assert_eq!(all_ids(&*store, "docs", 1_000).await, left);
    drop(store);
    assert_eq!(all_ids(&open(directory.path()), "docs", 1_000).await, left);
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_does_not_wait_for_an_index() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(filled(directory.path()).await);
    let building = begin_building(&store, directory.path()).await;
    store
        .put("docs", points(ENOUGH..ENOUGH + 10, DIMENSIONS))
        .await
        .unwrap();

    store.close().await;
    drop(store);
    assert!(!building.is_finished(), "closing waited for the index");
    // The builder still has its files open, so nobody else may have the directory yet.
    assert!(EmbeddedStore::open(directory.path().to_owned(), EmbeddedOptions::default()).is_err());

    building.await.unwrap().unwrap();
    let store = open(directory.path());
    assert_eq!(all_ids(&store, "docs", 1_000).await, sorted_ids(0..ENOUGH + 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_a_dropped_collection_does_not_reach_the_next_one_of_that_name() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(filled(directory.path()).await);
    let building = begin_building(&store, directory.path()).await;

    store.drop_collection("docs").await.unwrap();
    assert!(matches!(store.size("docs").await, Err(StoreError::NoCollection(_))));
    ensure(&*store, "docs", 16).await;
    store.put("docs", points(0..10, 16)).await.unwrap();

    // Built for nothing: whether that is an error does not matter.
    let _ = building.await.unwrap();
    assert_eq!(all_ids(&*store, "docs", 100).await, sorted_ids(0..10));
    store.close().await;
    drop(store);
    assert_eq!(all_ids(&open(directory.path()), "docs", 100).await, sorted_ids(0..10));
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn an_index_is_built_at_the_priority_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions {
        niceness: 15,
        ..EmbeddedOptions::default()
    };
    let store = Arc::new(EmbeddedStore::open(directory.path().to_owned(), options).unwrap());
    fill(&store).await;
    let building = begin_building(&store, directory.path()).await;
    let mut seen = std::collections::BTreeSet::new();
    while !building.is_finished() {
        seen.extend(
            threads()
                .into_iter()
                .filter(|(name, _)| name.starts_with("vb-index") || name.starts_with("hnsw")),
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    building.await.unwrap().unwrap();
    println!("threads and their niceness: {seen:?}");
    assert!(seen.contains(&("vb-index".into(), 15)));
    assert!(
        threads()
            .iter()
            .filter(|(name, _)| name == "tokio-rt-worker")
            .all(|(_, nice)| *nice == 0)
    );
}

async fn filled(directory: &Path) -> EmbeddedStore {
    let store = open(directory);
    fill(&store).await;
    store
}

async fn fill(store: &EmbeddedStore) {
    ensure(store, "docs", DIMENSIONS).await;
    store.put("docs", points(0..ENOUGH, DIMENSIONS)).await.unwrap();
    store.flush("docs").await.unwrap();
}

/// Starts building and returns when the engine is in the middle of it.
async fn begin_building(
    store: &Arc<EmbeddedStore>,
    directory: &Path,
) -> tokio::task::JoinHandle<Result<(), StoreError>> {
    let building = tokio::spawn({
        let store = Arc::clone(store);
        async move { store.optimize("docs").await }
    });
    while !files(directory).iter().any(|path| path.contains("temp_segments")) {
        assert!(!building.is_finished(), "the index was built before anyone could look");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    building
}

/// Whether any collection below the directory has an index.
fn has_index(directory: &Path) -> bool {
    files(directory)
        .iter()
        .any(|path| path.contains("/segments/") && path.ends_with("/graph.bin"))
}

fn files(directory: &Path) -> Vec<String> {
    let mut files = Vec::new();
    // Files come and go while one looks.
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        files.push(path.to_string_lossy().into_owned());
        if path.is_dir() {
            files.extend(self::files(&path));
        }
    }
    files
}

/// Name and niceness of this process's threads.
#[cfg(target_os = "linux")]
fn threads() -> Vec<(String, i32)> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let stats = tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("stat")).ok());
    let parse = |stat: String| {
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        // Niceness is the 19th field of the line; the name is the second.
        Some((name.to_owned(), rest.split_whitespace().nth(16)?.parse().ok()?))
    };
    stats.filter_map(parse).collect()
}
