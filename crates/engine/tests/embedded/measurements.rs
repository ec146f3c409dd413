//! Numbers, on request: `cargo test --release -p vb-engine --test embedded_store measure -- --ignored --nocapture`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vb_engine::store::contract::VectorStore;
use vb_engine::store::embedded::{EmbeddedOptions, EmbeddedStore};

use super::{ensure, open};
use crate::conformance::data::{Embeddings, point, point_at, points};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures, does not judge"]
async fn measure_upsert_and_flush() {
    for batch in [100, 256, 1_000] {
        for streams in [1, 4] {
            let directory = tempfile::tempdir().unwrap();
            let store = Arc::new(open(directory.path()));
            ensure(&*store, "docs", 384).await;
            let (total, mut embeddings) = (40_000, Embeddings::new(3, 384));
            let all: Vec<_> = (0..total)
                .map(|number| point_at(number, 0, embeddings.vector()))
                .collect();
            let (began, flushing) = (Instant::now(), std::sync::atomic::AtomicU64::new(0));
            let batches: Vec<_> = all.chunks(batch).map(<[_]>::to_vec).collect();
            let tasks = (0..streams).map(|stream| {
                let (store, batches, flushing) = (&store, &batches, &flushing);
                async move {
                    for points in batches.iter().skip(stream).step_by(streams) {
                        store.upsert("docs", points.clone()).await.unwrap();
                        let flush = Instant::now();
                        store.flush("docs").await.unwrap();
                        let nanos = flush.elapsed().as_nanos() as u64;
                        flushing.fetch_add(nanos, std::sync::atomic::Ordering::Relaxed);
                    }
                }
            });
            futures::future::join_all(tasks).await;
            let took = began.elapsed().as_secs_f64();
            let flushing = Duration::from_nanos(flushing.into_inner()).as_secs_f64() / streams as f64;
            println!(
                "batches of {batch:5}, {streams} streams: {:6.0} points/s, {:.0} % of the time in flush; {:.0} MB on disk",
                total as f64 / took,
                100.0 * flushing / took,
                disk(directory.path()) as f64 / 1e6
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures, does not judge"]
async fn measure_small_collections() {
    const COLLECTIONS: usize = 200;
    let directory = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions {
        open_shards: COLLECTIONS,
        ..EmbeddedOptions::default()
    };
    let store = EmbeddedStore::open(directory.path().to_owned(), options).unwrap();
    ensure(&store, "first", 384).await;
    let batch = points(0..100, 384);
    let empty = directory.path().join("collections/first");
    println!(
        "an empty collection: {:.0} kB on disk, {:.0} MB in length",
        kilobytes(disk(&empty)),
        length(&empty) as f64 / 1e6
    );
    let (files, descriptors, threads) = (disk(directory.path()), count("fd"), count("task"));
    let (anonymous, mapped) = memory();
    let began = Instant::now();
    for number in 0..COLLECTIONS {
        let name = format!("c{number}");
        ensure(&store, &name, 384).await;
        store.upsert(&name, batch.clone()).await.unwrap();
        store.flush(&name).await.unwrap();
    }
    let each = |total: u64| total as f64 / COLLECTIONS as f64;
    let now = memory();
    println!(
        "each of {COLLECTIONS} collections of 100 points: {:.0} kB on disk, {:.0} kB of memory of its own and {:.0} kB \
         mapped from files while open, {:.1} descriptors, {:.1} threads; made and filled in {:.1} ms",
        each(disk(directory.path()) - files) / 1e3,
        each(now.0 - anonymous),
        each(now.1 - mapped),
        each(count("fd") - descriptors),
        each(count("task") - threads),
        began.elapsed().as_secs_f64() * 1e3 / COLLECTIONS as f64,
    );
    let began = Instant::now();
    store.close().await;
    println!(
        "closed {COLLECTIONS} flushed collections in {:.0} ms",
        began.elapsed().as_secs_f64() * 1e3
    );
    drop(store);
    let closed = memory();
    println!(
        "left when closed: {} kB of its own, {} kB mapped",
        closed.0 - anonymous,
        closed.1.saturating_sub(mapped)
    );

    let store = EmbeddedStore::open(directory.path().to_owned(), options).unwrap();
    let began = Instant::now();
    for number in 0..COLLECTIONS {
        store.count(&format!("c{number}")).await.unwrap();
    }
    let opening = began.elapsed().as_secs_f64() * 1e3 / COLLECTIONS as f64;
    let opened = memory();
    println!(
        "opening one takes {opening:.1} ms, {:.0} kB of memory of its own and {:.0} kB mapped from files, {:.0} mappings",
        each(opened.0.saturating_sub(closed.0)),
        each(opened.1 - closed.1),
        each(fs::read_to_string("/proc/self/maps").unwrap().lines().count() as u64),
    );
    for number in 0..COLLECTIONS {
        store
            .upsert(&format!("c{number}"), vec![point(1_000, 0, 384)])
            .await
            .unwrap();
    }
    let began = Instant::now();
    store.close().await;
    println!(
        "closed {COLLECTIONS} unflushed collections in {:.0} ms",
        began.elapsed().as_secs_f64() * 1e3
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures, does not judge"]
async fn measure_index() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    ensure(&store, "docs", 384).await;
    let mut embeddings = Embeddings::new(4, 384);
    let mut written = 0;
    for upto in [10_000, 20_000, 30_000, 60_000] {
        while written < upto {
            let some = (written..written + 1_000)
                .map(|number| point_at(number, 0, embeddings.vector()))
                .collect();
            store.upsert("docs", some).await.unwrap();
            written += 1_000;
        }
        store.flush("docs").await.unwrap();
        let scanning = search_time(&store, &mut embeddings).await;
        let began = Instant::now();
        store.optimize("docs").await.unwrap();
        let optimizing = began.elapsed();
        println!(
            "{upto} points: search {scanning:?}, optimize {:.1} s, search {:?}; {:.0} MB on disk",
            optimizing.as_secs_f64(),
            search_time(&store, &mut embeddings).await,
            disk(directory.path()) as f64 / 1e6
        );
        let began = Instant::now();
        store.optimize("docs").await.unwrap();
        println!("  nothing to optimize: {:?}", began.elapsed());
        let warm = [
            search_time(&store, &mut embeddings).await,
            search_time(&store, &mut embeddings).await,
        ];
        println!("  searched again: {warm:?}");
        let began = Instant::now();
        store.count("docs").await.unwrap();
        println!("  count: {:?}", began.elapsed());
    }
}

async fn search_time(store: &EmbeddedStore, embeddings: &mut Embeddings) -> Duration {
    const SEARCHES: u32 = 100;
    let questions: Vec<_> = (0..SEARCHES).map(|_| embeddings.vector()).collect();
    let began = Instant::now();
    for vector in questions {
        store.search("docs", vector, 10).await.unwrap();
    }
    began.elapsed() / SEARCHES
}

fn kilobytes(bytes: u64) -> f64 {
    bytes as f64 / 1e3
}

/// Bytes that the files below the directory really take.
fn disk(directory: &Path) -> u64 {
    sum_of_files(directory, |file| file.blocks() * 512)
}

/// Bytes that the files below the directory would take without holes, as in a backup by a tool that knows none.
fn length(directory: &Path) -> u64 {
    sum_of_files(directory, |file| file.len())
}

fn sum_of_files(directory: &Path, of: fn(&fs::Metadata) -> u64) -> u64 {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            if path.is_dir() {
                sum_of_files(&path, of)
            } else {
                of(&fs::metadata(path).unwrap())
            }
        })
        .sum()
}

/// Resident memory in kB: of the process's own, and mapped from files.
fn memory() -> (u64, u64) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let of = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    (of("RssAnon:"), of("RssFile:"))
}

fn count(of: &str) -> u64 {
    fs::read_dir(format!("/proc/self/{of}")).unwrap().count() as u64
}
