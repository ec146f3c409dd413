//! Keywords, and columns to filter by.

use serde_json::json;
use uuid::Uuid;
use vb_engine::keywords::Keywords;
use vb_engine::point::Point;
use vb_engine::store::contract::{Detail, Hit, Question, Search, VectorStore};
use vb_engine::store::share::{Condition, Range, Scalar, Share, Test, column_key};

use super::collection;
use super::data::{id, point};
use super::sharing::{share, shared};
use super::whole::Whole;

const DIMENSIONS: usize = 8;

/// A point with the words of a text.
fn saying(number: u64, text: &str) -> Point {
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

/// A point with columns.
fn with_columns(number: u64, columns: &serde_json::Value) -> Point {
    let mut point = saying(number, "words");
    point.payload.fields = columns.as_object().unwrap().clone();
    point
}

fn condition(field: &str, test: Test) -> Condition {
    Condition {
        field: field.to_owned(),
        test,
        negated: false,
    }
}

/// Numbers of the points for which all of this is true, found by meaning and by words alike.
async fn chosen(store: &dyn VectorStore, name: &str, conditions: &[Condition]) -> Vec<u64> {
    let mut both = Vec::new();
    for question in [
        Question::Dense(point(0, 0, DIMENSIONS).vector),
        Question::Keywords(Keywords::of_question("words")),
    ] {
        let search = Search {
            question,
            limit: 100,
            conditions: conditions.to_vec(),
        };
        let found = store.search(&Share::whole(name), search).await.unwrap();
        let mut numbers: Vec<u64> = found.iter().map(|hit| hit.payload.record_id.parse().unwrap()).collect();
        numbers.sort_unstable();
        both.push(numbers);
    }
    assert_eq!(both[0], both[1]);
    both.remove(0)
}

pub(crate) async fn conditions_choose_points_by_their_columns(store: &dyn VectorStore) {
    let name = collection(store, DIMENSIONS).await;
    let columns = [
        json!({"status": "open", "priority": 1, "done": false, "score": 0.5}),
        json!({"status": "closed", "priority": 2, "done": true, "score": 1.5}),
        json!({"status": "open", "priority": 3, "done": true, "score": 2}),
        json!({"status": null, "priority": 4}),
        json!({}),
    ];
    let points = (0..)
        .zip(&columns)
        .map(|(number, columns)| with_columns(number, columns))
        .collect();
    store.put(&name, points).await.unwrap();
    let text = |value: &str| Scalar::Text(value.to_owned());
    let status = |value: &str| condition("status", Test::Any(vec![text(value)]));
    let priority = |range| condition("priority", Test::Range(range));

    assert_eq!(chosen(store, &name, &[]).await, [0, 1, 2, 3, 4]);
    assert_eq!(chosen(store, &name, &[status("open")]).await, [0, 2]);
    assert_eq!(chosen(store, &name, &[status("OPEN")]).await, [0_u64; 0]);
    let either = condition("status", Test::Any(vec![text("open"), text("closed")]));
    assert_eq!(chosen(store, &name, std::slice::from_ref(&either)).await, [0, 1, 2]);
    let neither = Condition {
        negated: true,
        ..either
    };
    assert_eq!(chosen(store, &name, &[neither]).await, [3, 4]);
    let none = condition("status", Test::Any(Vec::new()));
    assert_eq!(chosen(store, &name, std::slice::from_ref(&none)).await, [0_u64; 0]);
    let done = condition("done", Test::Any(vec![Scalar::Bool(true)]));
    assert_eq!(chosen(store, &name, &[done.clone(), status("open")]).await, [2]);
    let two = condition("priority", Test::Any(vec![Scalar::Integer(2)]));
    assert_eq!(chosen(store, &name, &[two]).await, [1]);
    let from_two_to_below_four = Range {
        gte: Some(2.0),
        lt: Some(4.0),
        ..Range::default()
    };
    assert_eq!(chosen(store, &name, &[priority(from_two_to_below_four)]).await, [1, 2]);
    let more_than_half = Range {
        gt: Some(0.5),
        ..Range::default()
    };
    assert_eq!(
        chosen(store, &name, &[condition("score", Test::Range(more_than_half))]).await,
        [1, 2]
    );
    let null = condition("status", Test::Null);
    assert_eq!(chosen(store, &name, std::slice::from_ref(&null)).await, [3, 4]);
    let not_null = Condition { negated: true, ..null };
    assert_eq!(chosen(store, &name, &[not_null]).await, [0, 1, 2]);
    // Something of another kind is not the same.
    let text_two = condition("priority", Test::Any(vec![text("2")]));
    assert_eq!(chosen(store, &name, &[text_two]).await, [0_u64; 0]);
}

pub(crate) async fn columns_of_odd_names_can_be_filtered_by(store: &dyn VectorStore) {
    let names = [
        "a.b",
        "a[0]",
        "a\"b",
        "a\\b",
        "ä ö",
        "50%",
        "client_id",
        "tenant",
        "'; drop table",
        "[]",
    ];
    let name = collection(store, DIMENSIONS).await;
    let columns: serde_json::Map<String, serde_json::Value> =
        names.iter().map(|name| (column_key(name), json!("yes"))).collect();
    assert_eq!(columns.len(), names.len());
    let points = vec![
        with_columns(0, &json!(columns)),
        with_columns(1, &json!({"a": {"b": "yes"}})),
    ];
    store.put(&name, points).await.unwrap();
    for column in names {
        let yes = condition(column, Test::Any(vec![Scalar::Text("yes".to_owned())]));
        assert_eq!(chosen(store, &name, &[yes]).await, [0], "{column}");
    }
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
