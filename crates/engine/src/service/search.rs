//! How a question is answered: by meaning, by words, or by both.

use std::collections::HashMap;

use uuid::Uuid;

use super::protocol::SearchMode;
use crate::keywords::Keywords;
use crate::policy::fusion::fuse;
use crate::store::contract::{Hit, Question, Search, VectorStore};
use crate::store::error::StoreError;
use crate::store::share::{Condition, Share};

/// Places of each ranking that count, at least, when two are made one.
const FEWEST_CANDIDATES: usize = 100;

/// What is searched for, and where.
pub(super) struct Asked<'a> {
    pub(super) store: &'a dyn VectorStore,
    pub(super) share: &'a Share,
    /// The question.
    pub(super) text: &'a str,
    /// Its embedding, where points are compared by meaning.
    pub(super) vector: Vec<f32>,
    pub(super) mode: SearchMode,
    pub(super) conditions: Vec<Condition>,
    /// The most hits wanted.
    pub(super) limit: usize,
}

/// The best hits, best first.
pub(super) async fn search(asked: Asked<'_>) -> Result<Vec<Hit>, StoreError> {
    let Asked {
        store,
        share,
        text,
        vector,
        mode,
        conditions,
        limit,
    } = asked;
    let search = |question, limit| Search {
        question,
        limit,
        conditions: conditions.clone(),
    };
    let keywords = || Question::Keywords(Keywords::of_question(text));
    match mode {
        SearchMode::Dense => store.search(share, search(Question::Dense(vector), limit)).await,
        SearchMode::Keyword => store.search(share, search(keywords(), limit)).await,
        SearchMode::Hybrid => {
            let candidates = if limit == 0 { 0 } else { limit.max(FEWEST_CANDIDATES) };
            let (by_meaning, by_words) = tokio::try_join!(
                store.search(share, search(Question::Dense(vector), candidates)),
                store.search(share, search(keywords(), candidates)),
            )?;
            Ok(fused(by_meaning, by_words, limit))
        }
    }
}

fn fused(by_meaning: Vec<Hit>, by_words: Vec<Hit>, limit: usize) -> Vec<Hit> {
    let ids = |hits: &[Hit]| hits.iter().map(|hit| hit.id).collect::<Vec<Uuid>>();
    let ranking = fuse(&[ids(&by_meaning), ids(&by_words)], limit);
    let mut hits: HashMap<Uuid, Hit> = by_meaning
        .into_iter()
        .chain(by_words)
        .map(|hit| (hit.id, hit))
        .collect();
    ranking
        .into_iter()
        .filter_map(|(id, score)| hits.remove(&id).map(|hit| Hit { score, ..hit }))
        .collect()
}
