//! Keywords.

use serde_json::json;
use uuid::Uuid;
use vb_engine::keywords::Keywords;
use vb_engine::point::Point;
use vb_engine::store::contract::{Detail, Hit, Question, Search, VectorStore};
use vb_engine::store::share::Share;

use super::collection;
use super::columns::with_columns;
use super::data::{id, point};
use super::sharing::{share, shared};
use super::whole::Whole;

const DIMENSIONS: usize = 8;

/// A point with the words of a text.
pub(super) fn saying(number: u64, text: &str) -> Point {
    let mut point = point(number, 0, DIMENSIONS);
    point.keywords = Keywords::of_text(text);
    point.payload.text_content = text.to_owned();
    point
}

/// The same of a client.
fn said_to(client: i64, number: u64, text: &str) -> Point {
    let mut point = saying(number, text);
    point.payload.client_id = client;
    point
}

async fn by_words(store: &dyn VectorStore, share: &Share, question: &str) -> Vec<Hit> {
    let search = Search {
        question: Question::Keywords(Keywords::of_question(question)),
        limit: 10,
        conditions: Vec::new(),
    };
    store.search(share, search).await.unwrap()
}

fn ids(hits: &[Hit]) -> Vec<Uuid> {
    hits.iter().map(|hit| hit.id).collect()
}

pub(crate) async fn points_are_found_by_their_words(store: &dyn VectorStore) {
    let name = collection(store, DIMENSIONS).await;
    let texts = [
        "the printer crashes",
        "a crashing parser",
        "weather in Lisbon",
        "no words of it",
    ];
    let points = (0..).zip(texts).map(|(number, text)| saying(number, text)).collect();
    store.put(&name, points).await.unwrap();
    let found = by_words(store, &Share::whole(&*name), "parser crash").await;
    assert_eq!(ids(&found), [id(1), id(0)]);
    assert!(found[0].score > found[1].score && found[1].score > 0.0);
    assert_eq!(found[0].payload.text_content, "a crashing parser");
    // What is replaced has new words.
    store.put(&name, vec![saying(1, "nothing of the kind")]).await.unwrap();
    assert_eq!(
        ids(&by_words(store, &Share::whole(&*name), "parser crash").await),
        [id(0)]
    );
    store.erase(&name, vec![id(0)]).await.unwrap();
    assert!(by_words(store, &Share::whole(&*name), "parser crash").await.is_empty());
}

pub(crate) async fn rare_words_count_more_than_frequent_ones(store: &dyn VectorStore) {
    let name = collection(store, DIMENSIONS).await;
    let mut points: Vec<Point> = (0..50).map(|number| saying(number, "common words")).collect();
    points.push(saying(50, "rare words"));
    store.put(&name, points).await.unwrap();
    let found = by_words(store, &Share::whole(&*name), "rare common").await;
    assert_eq!(found[0].id, id(50));
    assert!(found[0].score > 2.0 * found[1].score, "{found:?}");
}

pub(crate) async fn how_rare_a_word_is_does_not_depend_on_other_clients(store: &dyn VectorStore) {
    let name = shared(store, DIMENSIONS).await;
    let (one, two) = (share(&name, 1), share(&name, 2));
    let own = [(0, "alpha beta"), (1, "alpha gamma"), (2, "alpha delta")];
    let own: Vec<Point> = own.into_iter().map(|(number, text)| said_to(1, number, text)).collect();
    store.upsert(&one, own).await.unwrap();
    let before = by_words(store, &one, "alpha beta").await;
    // Another client's texts make "beta" the most frequent word of the collection.
    let others: Vec<Point> = (100..200).map(|number| said_to(2, number, "beta")).collect();
    store.upsert(&two, others).await.unwrap();
    let after = by_words(store, &one, "alpha beta").await;
    assert_eq!(ids(&before), ids(&after));
    for (before, after) in before.iter().zip(&after) {
        assert!((before.score - after.score).abs() < 1e-4, "{before:?} {after:?}");
    }
}

pub(crate) async fn a_question_without_words_finds_nothing(store: &dyn VectorStore) {
    let name = collection(store, DIMENSIONS).await;
    store.put(&name, vec![saying(0, "some words")]).await.unwrap();
    assert!(by_words(store, &Share::whole(&*name), "?!").await.is_empty());
    assert!(by_words(store, &Share::whole(&*name), "unheard").await.is_empty());
}

pub(crate) async fn points_without_words_are_kept(store: &dyn VectorStore) {
    let name = collection(store, DIMENSIONS).await;
    store
        .put(&name, vec![saying(0, "?!"), saying(1, "words")])
        .await
        .unwrap();
    assert_eq!(store.size(&name).await.unwrap(), 2);
    assert_eq!(
        store.find(&name, point(0, 0, DIMENSIONS).vector, 1).await.unwrap()[0].id,
        id(0)
    );
    assert_eq!(ids(&by_words(store, &Share::whole(&*name), "words").await), [id(1)]);
}

pub(crate) async fn whole_points_come_back_as_they_were_written(store: &dyn VectorStore) {
    let name = collection(store, DIMENSIONS).await;
    let mut written: Vec<Point> = (0..20).map(|number| saying(number, "some words to keep")).collect();
    written.push(with_columns(
        20,
        &json!({"status": "open", "number": 3, "part": 0.25, "null": null}),
    ));
    written.push(saying(21, ""));
    store.put(&name, written.clone()).await.unwrap();
    let kept = store
        .scroll(&Share::whole(&*name), None, 100, Detail::Whole)
        .await
        .unwrap();
    assert_eq!(kept.len(), written.len());
    for point in &written {
        let found = kept.iter().find(|found| found.key == point.id.into()).unwrap();
        let found = found.whole.as_ref().unwrap();
        assert_eq!(found.payload, point.payload);
        assert!(
            found
                .vector
                .iter()
                .zip(&point.vector)
                .all(|(a, b)| (a - b).abs() < 1e-6)
        );
        let pairs = |keywords: &Keywords| {
            let mut pairs: Vec<(u32, f32)> = keywords
                .words
                .iter()
                .copied()
                .zip(keywords.weights.iter().copied())
                .collect();
            pairs.sort_by_key(|(word, _)| *word);
            pairs
        };
        assert_eq!(pairs(&found.keywords), pairs(&point.keywords));
    }
    let keys = store.scroll(&Share::whole(&*name), None, 5, Detail::Key).await.unwrap();
    assert_eq!(keys.len(), 5);
    assert!(
        keys.iter()
            .all(|point| point.whole.is_none() && point.identity.is_none())
    );
}

pub(crate) async fn points_say_what_they_are_made_from(store: &dyn VectorStore) {
    let name = collection(store, DIMENSIONS).await;
    store.put(&name, vec![saying(3, "words")]).await.unwrap();
    let found = store
        .scroll(&Share::whole(&*name), None, 5, Detail::Identity)
        .await
        .unwrap();
    let (identity, payload) = (found[0].identity.as_ref().unwrap(), saying(3, "words").payload);
    assert_eq!(
        (identity.client_id, &identity.record_id),
        (payload.client_id, &payload.record_id)
    );
    assert_eq!(
        (&identity.vector_type, identity.chunk_no),
        (&payload.vector_type, payload.chunk_no)
    );
    assert_eq!(identity.content_hash, payload.content_hash);
    assert!(found[0].whole.is_none());
}
