//! The numbers are those of an independent implementation, whatever a text shares its pack with.

use serde::Deserialize;
use vb_engine::provider::contract::{Embedding, EmbeddingProvider};

use crate::support::{cosine, embed, mini_lm, provider, turn};

/// A line of `minilm_vectors.json`; `make_minilm_vectors.py` says where it comes from.
#[derive(Deserialize)]
struct Case {
    piece: String,
    times: usize,
    end: String,
    tokens: u32,
    truncated: bool,
    vector: Vec<f32>,
}

impl Case {
    fn text(&self) -> String {
        self.piece.repeat(self.times) + &self.end
    }

    fn check(&self, embedding: &Embedding) {
        let shown = format!("{:.60?} × {}", self.piece, self.times);
        assert_eq!(embedding.tokens, self.tokens, "tokens of {shown}");
        assert_eq!(embedding.truncated, self.truncated, "truncation of {shown}");
        let similarity = cosine(&embedding.vector, &self.vector);
        assert!(similarity >= 0.9999, "cosine {similarity} for {shown}");
        let length = embedding
            .vector
            .iter()
            .map(|number| f64::from(*number).powi(2))
            .sum::<f64>()
            .sqrt();
        assert!((length - 1.0).abs() < 1e-5, "length {length} for {shown}");
    }
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../fixtures/minilm_vectors.json")).expect("the fixture is JSON")
}

#[tokio::test]
async fn vectors_equal_those_of_an_independent_implementation_alone_and_together() {
    let _turn = turn().await;
    let provider = provider(&mini_lm());
    let cases = cases();
    let texts: Vec<String> = cases.iter().map(Case::text).collect();

    let together = embed(&*provider, &texts).await.expect("embedded");
    assert_eq!(together.len(), cases.len());
    for ((case, text), together) in cases.iter().zip(&texts).zip(&together) {
        case.check(together);
        let alone = embed(&*provider, &[text]).await.expect("embedded");
        case.check(&alone[0]);
        // The two may share the work differently, but a vector must not depend on its neighbours.
        assert!(cosine(&alone[0].vector, &together.vector) > 0.999_999);
    }
    assert_eq!(provider.dimensions(), 384);
    assert_eq!(provider.limits().max_tokens, 254);
    provider.shutdown();
}

#[tokio::test]
async fn a_wider_window_sees_more_of_the_text() {
    let _turn = turn().await;
    let mut config = crate::support::config(&mini_lm());
    config.max_tokens = Some(512);
    config.dimensions = Some(384);
    let provider = crate::support::load(&config).expect("loads");
    let text = "Rows that are already in the database are read in batches. ".repeat(30);
    let embedded = embed(&provider, &[text]).await.expect("embedded");
    assert_eq!((embedded[0].tokens, embedded[0].truncated), (30 * 13 + 2, false));
    provider.shutdown();
}

#[tokio::test]
async fn token_spans_cover_the_whole_text_however_long() {
    let _turn = turn().await;
    let provider = provider(&mini_lm());
    let text = "Ünïcödé 数据库 🙂 and more. ".repeat(400);
    let spans = provider.token_spans(&text).expect("spans");
    assert!(spans.len() >= 3200);
    assert_eq!(spans.first().map(|span| span.start), Some(0));
    assert_eq!(spans.last().map(|span| span.end), Some(text.trim_end().len()));
    assert!(spans.iter().all(|span| text.get(span.clone()).is_some()));
    provider.shutdown();
}
