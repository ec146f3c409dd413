//! Requests: order, cancellation, bad texts, and queries that do not wait behind passages.

use std::sync::Arc;
use std::time::Duration;

use vb_engine::provider::contract::{EmbeddingProvider, ProviderError, Purpose};

use crate::support::{cosine, embed, mini_lm, model_runs, much_work, provider, request, tiny, turn};

#[tokio::test]
async fn embeddings_come_in_the_order_of_the_texts() {
    let _turn = turn().await;
    let provider = provider(&tiny());
    let words = [
        "red", "green", "blue", "one", "two", "three", "north", "south", "east", "west",
    ];
    // Lengths that go up and down, so that packing has to reorder them; the same text in several places.
    let texts: Vec<String> = (0..500)
        .map(|number| format!("{} ", words[number % 10]).repeat(1 + number * 7 % 120))
        .collect();
    let embeddings = embed(&*provider, &texts).await.expect("embedded");
    assert_eq!(embeddings.len(), texts.len());
    for (number, (text, embedding)) in texts.iter().zip(&embeddings).enumerate() {
        assert_eq!(
            embedding.tokens as usize,
            2 + text.split_whitespace().count(),
            "text {number}"
        );
        let alone = embed(&*provider, &[text]).await.expect("embedded");
        assert!(cosine(&alone[0].vector, &embedding.vector) > 0.999_999, "text {number}");
    }
    provider.shutdown();
}

#[tokio::test]
async fn no_texts_give_no_embeddings() {
    let _turn = turn().await;
    let provider = provider(&tiny());
    assert_eq!(embed::<&str>(&*provider, &[]).await.expect("embedded"), []);
    provider.shutdown();
}

#[tokio::test]
async fn a_bad_text_fails_as_a_record_and_others_go_on() {
    let _turn = turn().await;
    let provider = provider(&tiny());
    let mut texts = vec!["red green blue".to_owned(); 300];
    texts[123] = "one poison two".to_owned();
    match embed(&*provider, &texts).await {
        Err(ProviderError::Record(message)) => assert!(message.contains("5 tokens"), "{message}"),
        other => panic!("not a bad record: {other:?}"),
    }
    texts.remove(123);
    assert_eq!(embed(&*provider, &texts).await.expect("embedded").len(), 299);
    provider.shutdown();
}

#[tokio::test]
async fn a_cancelled_request_ends_soon_and_leaves_no_work_behind() {
    let _turn = turn().await;
    let provider = provider(&mini_lm());
    let large = request(&much_work(), Purpose::Passage);
    let cancel = large.cancel.clone();
    let running = tokio::spawn({
        let provider = Arc::clone(&provider);
        async move { provider.embed(large).await }
    });
    model_runs().await;
    cancel.raise();
    // Both would take half a minute if the packs of the cancelled request were still worked on.
    let soon = Duration::from_secs(8);
    let outcome = tokio::time::timeout(soon, running)
        .await
        .expect("ends soon")
        .expect("no panic");
    assert!(matches!(outcome, Err(ProviderError::Cancelled)), "{outcome:?}");
    let next = tokio::time::timeout(soon, embed(&*provider, &["next"]))
        .await
        .expect("not queued behind dropped work");
    assert_eq!(next.expect("embedded").len(), 1);
    provider.shutdown();
}

#[tokio::test]
async fn a_request_whose_future_is_dropped_leaves_no_work_behind() {
    let _turn = turn().await;
    let provider = provider(&mini_lm());
    let work = much_work();
    tokio::select! {
        outcome = embed(&*provider, &work) => panic!("answered before anybody could lose interest: {outcome:?}"),
        () = model_runs() => {}
    }
    let next = tokio::time::timeout(Duration::from_secs(8), embed(&*provider, &["next"])).await;
    assert_eq!(
        next.expect("not queued behind dropped work").expect("embedded").len(),
        1
    );
    provider.shutdown();
}

#[tokio::test]
async fn a_query_is_answered_while_passages_run() {
    let _turn = turn().await;
    let provider = provider(&mini_lm());
    let (answers, mut answered) = tokio::sync::mpsc::unbounded_channel();
    let passages = tokio::spawn({
        let (provider, answers) = (Arc::clone(&provider), answers.clone());
        async move {
            let outcome = embed(&*provider, &much_work()[..120]).await;
            let _ = answers.send("passages");
            outcome
        }
    });
    model_runs().await;
    // The first starts the query session, the second finds it running.
    for _ in 0..2 {
        let query = provider
            .embed(request(&["where is my order?"], Purpose::Query))
            .await
            .expect("embedded");
        assert_eq!(query.len(), 1);
        let _ = answers.send("query");
    }
    assert_eq!(passages.await.expect("no panic").expect("embedded").len(), 120);
    let order = [answered.recv().await, answered.recv().await, answered.recv().await];
    assert_eq!(order, [Some("query"), Some("query"), Some("passages")]);
    provider.shutdown();
}
