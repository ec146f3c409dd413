//! Model threads: their priorities, and that they end when they should.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vb_engine::policy::packing::PackLimits;
use vb_engine::provider::contract::{EmbeddingProvider, ProviderError, Purpose};
use vb_engine::provider::onnx::OnnxProvider;

use crate::support::{NICE, config, embed, mini_lm, model_runs, model_threads, onnx, provider, request, turn};

/// Scheduling policies as Linux numbers them.
const ORDINARY: i64 = 0;
const IDLE: i64 = 5;

/// Waits until the threads are gone.
async fn gone(threads: &BTreeSet<u32>) {
    let waiting = async {
        while model_threads().keys().any(|id| threads.contains(id)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), waiting)
        .await
        .expect("the threads end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_ends_runs_under_way_within_a_second() {
    let _turn = turn().await;
    let mut config = config(&mini_lm());
    config.max_tokens = Some(512);
    // 16 × 512 tokens keep a session busy for seconds: nothing but ending the run can be quick enough.
    let packs = PackLimits {
        padded_tokens: 8192,
        texts: 16,
    };
    let before: BTreeSet<u32> = model_threads().into_keys().collect();
    let provider = Arc::new(OnnxProvider::load(&config, onnx(&config), packs).expect("loads"));
    provider
        .embed(request(&["starts the query thread"], Purpose::Query))
        .await
        .expect("embedded");
    let threads: BTreeSet<u32> = model_threads().into_keys().filter(|id| !before.contains(id)).collect();
    assert_eq!(threads.len(), 3);

    let texts = vec!["all work and no play ".repeat(120); 64];
    let running = tokio::spawn({
        let (provider, texts) = (Arc::clone(&provider), texts.clone());
        async move { embed(&*provider, &texts).await }
    });
    model_runs().await;
    let start = Instant::now();
    provider.shutdown();
    let took = start.elapsed();
    assert!(took < Duration::from_secs(1), "took {took:?}");
    gone(&threads).await;

    let outcome = running.await.expect("no panic");
    assert!(matches!(outcome, Err(ProviderError::Cancelled)), "{outcome:?}");
    for purpose in [Purpose::Passage, Purpose::Query] {
        let later = provider.embed(request(&["too late"], purpose)).await;
        assert!(matches!(later, Err(ProviderError::Cancelled)), "{later:?}");
    }
    // May be repeated.
    provider.shutdown();
}

#[tokio::test]
async fn dropping_the_provider_ends_its_threads() {
    let _turn = turn().await;
    let provider = provider(&mini_lm());
    provider
        .embed(request(&["starts the query thread"], Purpose::Query))
        .await
        .expect("embedded");
    let threads: BTreeSet<u32> = model_threads().into_keys().collect();
    assert_eq!(threads.len(), 3);
    drop(provider);
    gone(&threads).await;
}

#[tokio::test]
async fn passages_give_way_to_everything_changes_to_queries_and_queries_to_nothing() {
    let _turn = turn().await;
    let provider = provider(&mini_lm());
    assert!(
        model_threads()
            .values()
            .all(|thread| thread.name.starts_with("vb-passage")),
        "no query, no query thread"
    );
    provider
        .embed(request(&["where is my order?"], Purpose::Query))
        .await
        .expect("embedded");
    provider
        .embed(request(&["this row has just changed"], Purpose::Change))
        .await
        .expect("embedded");
    let threads: Vec<(String, i32, i64)> = model_threads()
        .into_values()
        .map(|thread| (thread.name, thread.nice, thread.policy))
        .collect();
    let own = rustix::process::getpriority_process(None).expect("own priority");
    let expected = [
        ("vb-passage-0", own, IDLE),
        ("vb-passage-1", own, IDLE),
        ("vb-query-0", own, ORDINARY),
        ("vb-change-0", NICE, ORDINARY),
    ];
    assert_eq!(
        threads,
        expected.map(|(name, nice, policy)| (name.to_owned(), nice, policy))
    );
    provider.shutdown();
}
