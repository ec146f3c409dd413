//! Providers are shared by configuration, kept while somebody holds them, let go of when idle, and ended at shutdown.

use std::sync::Arc;
use std::time::Duration;

use vb_engine::provider::config::ProviderConfig;
use vb_engine::provider::contract::ProviderError;
use vb_engine::provider::registry::ProviderRegistry;

use crate::support::{config, embed, model_threads, tiny, turn};

fn named(name: &str) -> ProviderConfig {
    ProviderConfig {
        name: name.to_owned(),
        ..config(&tiny())
    }
}

/// Passage threads of live providers; each has two.
async fn threads_become(count: usize) {
    let waiting = async {
        while model_threads().len() != count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), waiting)
        .await
        .expect("the right number of threads");
}

#[tokio::test]
async fn equal_configurations_share_one_instance() {
    let _turn = turn().await;
    threads_become(0).await;
    let registry = ProviderRegistry::new();
    let (a, b, other) = (named("a"), named("a"), named("other"));
    let (first, second, third, fourth) = tokio::join!(
        registry.get(&a),
        registry.get(&b),
        registry.get(&other),
        registry.get(&a)
    );
    let (first, second) = (first.expect("made"), second.expect("made"));
    assert!(Arc::ptr_eq(&first, &second));
    assert!(Arc::ptr_eq(&first, &fourth.expect("made")));
    assert!(!Arc::ptr_eq(&first, &third.expect("made")));
    assert_eq!(model_threads().len(), 4);
    registry.shutdown();
    // The system lists a thread for a moment after it has ended.
    threads_become(0).await;
}

#[tokio::test]
async fn a_failure_is_not_remembered() {
    let _turn = turn().await;
    let folder = tempfile::tempdir().expect("temporary folder");
    let registry = ProviderRegistry::new();
    let config = config(folder.path());
    assert!(matches!(
        registry.get(&config).await,
        Err(ProviderError::Configuration(_))
    ));
    for file in ["model.onnx", "tokenizer.json"] {
        std::fs::copy(tiny().join(file), folder.path().join(file)).expect("copied");
    }
    assert!(registry.get(&config).await.is_ok());
    registry.shutdown();
}

#[tokio::test]
async fn idle_providers_are_let_go_of_and_held_ones_are_kept() {
    let _turn = turn().await;
    threads_become(0).await;
    let registry = ProviderRegistry::new();
    let held = registry.get(&named("held")).await.expect("made");
    drop(registry.get(&named("idle")).await.expect("made"));
    registry.evict_idle(Duration::from_secs(600));
    assert_eq!(model_threads().len(), 4, "nothing is idle for ten minutes yet");
    registry.evict_idle(Duration::ZERO);
    threads_become(2).await;
    assert_eq!(embed(&*held, &["red"]).await.expect("embedded").len(), 1);
    assert!(Arc::ptr_eq(
        &held,
        &registry.get(&named("held")).await.expect("still there")
    ));
    drop(held);
    registry.evict_idle(Duration::ZERO);
    threads_become(0).await;
    assert!(registry.get(&named("held")).await.is_ok(), "made anew");
    registry.shutdown();
}

#[tokio::test]
async fn nothing_works_after_shutdown() {
    let _turn = turn().await;
    let registry = ProviderRegistry::new();
    let provider = registry.get(&named("a")).await.expect("made");
    registry.shutdown();
    assert!(matches!(
        embed(&*provider, &["red"]).await,
        Err(ProviderError::Cancelled)
    ));
    assert!(matches!(registry.get(&named("a")).await, Err(ProviderError::Cancelled)));
    assert!(matches!(registry.get(&named("b")).await, Err(ProviderError::Cancelled)));
    registry.shutdown();
}
