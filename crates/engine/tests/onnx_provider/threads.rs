//! Model threads: their priorities, and that they end when they should.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vb_engine::policy::packing::PackLimits;
use vb_engine::provider::contract::{EmbeddingProvider, ProviderError, Purpose};
use vb_engine::provider::onnx::OnnxProvider;

use crate::support::{NICE, config, embed, mini_lm, model_runs, model_threads, onnx, provider, request, turn};

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
async fn passages_give_way_and_queries_do_not() {
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
    let threads: Vec<(String, i32)> = model_threads()
        .into_values()
        .map(|thread| (thread.name, thread.nice))
        .collect();
    let own = rustix::process::getpriority_process(None).expect("own priority");
    let expected = [("vb-passage-0", NICE), ("vb-passage-1", NICE), ("vb-query-0", own)];
    assert_eq!(threads, expected.map(|(name, nice)| (name.to_owned(), nice)));
    provider.shutdown();
}
