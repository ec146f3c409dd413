//! Keywords of texts: what keyword search compares. Words are cut, lowered and stemmed, and each counts by BM25, in the same
//! way for every store: how rare a word is, is left to the store, which knows all the others.

use std::sync::LazyLock;

use qdrant_edge::SparseVector;
use qdrant_edge::bm25_embed::{EdgeBm25, EdgeBm25Config};
use serde::{Deserialize, Serialize};

/// What stores call the vector of a point's keywords.
pub(crate) const KEYWORDS: &str = "keywords";

/// The words of a text and the weight of each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Keywords {
    /// Hashes of the words, no two equal.
    pub words: Vec<u32>,
    /// For each of them its weight, above zero.
    pub weights: Vec<f32>,
}

impl Keywords {
    /// Of a text that is kept. Empty when the text has no word.
    pub fn of_text(text: &str) -> Self {
        EMBEDDER
            .as_ref()
            .map(|embedder| embedder.embed_document(text).into())
            .unwrap_or_default()
    }

    /// Of a question: each word counts once.
    pub fn of_question(text: &str) -> Self {
        EMBEDDER
            .as_ref()
            .map(|embedder| embedder.embed_query(text).into())
            .unwrap_or_default()
    }

    /// Whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

impl From<SparseVector> for Keywords {
    fn from(vector: SparseVector) -> Self {
        Self {
            words: vector.indices,
            weights: vector.values,
        }
    }
}

/// With the engine's defaults, which are those of a Qdrant server: English stop words and stems, k 1.2, b 0.75, texts of 256
/// words on average. Other languages are found by whole words.
static EMBEDDER: LazyLock<Option<EdgeBm25>> = LazyLock::new(|| {
    EdgeBm25::new(EdgeBm25Config::default())
        .inspect_err(|error| log::error!("keyword search is not to be had: {error}"))
        .ok()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_shares_words_with_texts_in_other_forms() {
        let text = Keywords::of_text("Printers that keep crashing, and a Crash of the printing queue");
        let question = Keywords::of_question("printer crashes");
        assert_eq!(question.words.len(), 2);
        assert!(
            question.words.iter().all(|word| text.words.contains(word)),
            "{question:?} {text:?}"
        );
    }

    #[test]
    fn words_are_distinct_and_weigh_something() {
        let keywords = Keywords::of_text("one two two three three three Straße 東京 naïve");
        let mut words = keywords.words.clone();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), keywords.words.len());
        assert_eq!(keywords.words.len(), keywords.weights.len());
        assert!(
            keywords
                .weights
                .iter()
                .all(|weight| *weight > 0.0 && weight.is_finite())
        );
        assert!(Keywords::of_text("?! ...").is_empty());
    }

    #[test]
    fn every_script_has_words() {
        for text in [
            "東京タワーの高さ",
            "Привет мир",
            "שלום עולם",
            "สวัสดีชาวโลก",
            "naïve café",
            "한국어 문장",
        ] {
            assert!(!Keywords::of_text(text).is_empty(), "{text}");
        }
    }
}
