//! Columns that points carry, to filter by.

use serde_json::json;
use uuid::Uuid;
use vb_engine::fields::{Field, FieldKind, Fields, FieldsChange, column_key};
use vb_engine::keywords::Keywords;
use vb_engine::point::Point;
use vb_engine::store::contract::{CollectionSpec, Detail, Question, Search, VectorStore};
use vb_engine::store::share::{Condition, Range, Scalar, Share, Test};

use super::by_words::saying;
use super::collection;
use super::data::{id, point};
use super::sharing::{share, shared};
use super::whole::Whole;

const DIMENSIONS: usize = 8;

/// A point with columns.
pub(super) fn with_columns(number: u64, columns: &serde_json::Value) -> Point {
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

/// Numbers of the points of a collection for which all of this is true.
async fn chosen(store: &dyn VectorStore, name: &str, conditions: &[Condition]) -> Vec<u64> {
    chosen_of(store, &Share::whole(name), conditions).await
}

/// The same of a share, found by meaning and by words alike.
async fn chosen_of(store: &dyn VectorStore, share: &Share, conditions: &[Condition]) -> Vec<u64> {
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
        let found = store.search(share, search).await.unwrap();
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
    let numbers = condition("score", Test::Any(vec![Scalar::Number(0.5), Scalar::Number(2.0)]));
    assert_eq!(chosen(store, &name, &[numbers]).await, [0, 2]);
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

fn change(points: &[u64], columns: &serde_json::Value, hash: &str) -> FieldsChange {
    FieldsChange {
        points: points.iter().copied().map(id).collect(),
        fields: Fields {
            values: columns.as_object().unwrap().clone(),
            hash: hash.to_owned(),
        },
    }
}

fn open() -> Condition {
    condition("status", Test::Any(vec![Scalar::Text("open".to_owned())]))
}

pub(crate) async fn fields_change_without_their_vectors(store: &dyn VectorStore) {
    let name = collection(store, DIMENSIONS).await;
    let whole = Share::whole(&*name);
    let columns = json!({"status": "open", "priority": 1});
    let written: Vec<Point> = (0..4).map(|number| with_columns(number, &columns)).collect();
    store.put(&name, written.clone()).await.unwrap();
    let changes = [
        change(&[0, 2], &json!({"status": "closed"}), "aa"),
        // One of them was removed meanwhile.
        change(&[1, 99], &json!({}), ""),
    ];
    for _ in 0..2 {
        store.set_fields(&whole, &changes).await.unwrap();
        store.flush(&name).await.unwrap();
        assert_eq!(chosen(store, &name, &[open()]).await, [3]);
        let one = condition("priority", Test::Any(vec![Scalar::Integer(1)]));
        assert_eq!(chosen(store, &name, &[one]).await, [3], "what is not said anew is gone");
    }
    assert_eq!(store.size(&name).await.unwrap(), 4);
    let kept = store.scroll(&whole, None, 10, Detail::Whole).await.unwrap();
    for point in &written {
        let found = kept.iter().find(|found| found.key == point.id.into()).unwrap();
        let found = found.whole.as_ref().unwrap();
        let differs = |(a, b): (&f32, &f32)| (a - b).abs() > 1e-6;
        assert!(!found.vector.iter().zip(&point.vector).any(differs));
        assert_eq!(found.payload.text_content, point.payload.text_content);
        assert_eq!(found.payload.generated_at, point.payload.generated_at);
        let hash = if [id(0), id(2)].contains(&point.id) { "aa" } else { "" };
        assert_eq!(found.payload.fields_hash, hash);
    }
    let identities = store.scroll(&whole, None, 10, Detail::Identity).await.unwrap();
    let of_first = identities.iter().find(|found| found.key == id(0).into()).unwrap();
    assert_eq!(of_first.identity.as_ref().unwrap().fields_hash, "aa");
}

pub(crate) async fn fields_change_only_within_their_share(store: &dyn VectorStore) {
    let name = shared(store, DIMENSIONS).await;
    let mut point = with_columns(0, &json!({"status": "open"}));
    point.payload.client_id = 1;
    store.upsert(&share(&name, 1), vec![point]).await.unwrap();
    let closed = [change(&[0], &json!({"status": "closed"}), "aa")];
    store.set_fields(&share(&name, 2), &closed).await.unwrap();
    assert_eq!(chosen_of(store, &share(&name, 1), &[open()]).await, [0]);
    assert_eq!(chosen_of(store, &share(&name, 2), &[open()]).await, [0_u64; 0]);
    store.set_fields(&share(&name, 1), &closed).await.unwrap();
    assert_eq!(chosen_of(store, &share(&name, 1), &[open()]).await, [0_u64; 0]);
}

pub(crate) async fn indexed_columns_are_filtered_by_as_others_are(store: &dyn VectorStore) {
    let name = format!("test_{}", Uuid::new_v4().simple());
    let field = |column: &str, kind| Field {
        column: column.to_owned(),
        kind,
    };
    let mut spec = CollectionSpec {
        name: name.clone(),
        dimensions: DIMENSIONS,
        is_shared: false,
        fields: vec![field("status", FieldKind::Keyword), field("a.\"b", FieldKind::Integer)],
    };
    assert!(store.ensure_collection(&spec).await.unwrap());
    let columns = [
        json!({"status": ["open", "new"], "a.%22b": 1, "score": 0.5, "done": true}),
        json!({"status": "closed", "a.%22b": 2, "score": 2, "done": false}),
        json!({"status": null, "a.%22b": 3}),
    ];
    let points = (0..)
        .zip(&columns)
        .map(|(number, columns)| with_columns(number, columns));
    store.put(&name, points.collect()).await.unwrap();
    // The others are indexed when there are points already.
    spec.fields.push(field("score", FieldKind::Float));
    spec.fields.push(field("done", FieldKind::Bool));
    for _ in 0..2 {
        assert!(!store.ensure_collection(&spec).await.unwrap());
        assert_eq!(chosen(store, &name, &[open()]).await, [0]);
        let more_than = |number| {
            Test::Range(Range {
                gt: Some(number),
                ..Range::default()
            })
        };
        assert_eq!(
            chosen(store, &name, &[condition("a.\"b", more_than(1.0))]).await,
            [1, 2]
        );
        assert_eq!(chosen(store, &name, &[condition("score", more_than(0.5))]).await, [1]);
        let two = condition("score", Test::Any(vec![Scalar::Number(2.0)]));
        assert_eq!(chosen(store, &name, &[two]).await, [1]);
        let done = condition("done", Test::Any(vec![Scalar::Bool(true)]));
        assert_eq!(chosen(store, &name, &[done]).await, [0]);
        let null = condition("status", Test::Null);
        assert_eq!(chosen(store, &name, &[null]).await, [2]);
    }
    // The column has got another type, and its values with it.
    spec.fields[2].kind = FieldKind::Keyword;
    assert!(!store.ensure_collection(&spec).await.unwrap());
    let texts: Vec<FieldsChange> = (0..3)
        .map(|number| change(&[number], &json!({"score": format!("s{number}")}), "aa"))
        .collect();
    store.set_fields(&Share::whole(&*name), &texts).await.unwrap();
    let second = condition("score", Test::Any(vec![Scalar::Text("s1".to_owned())]));
    assert_eq!(chosen(store, &name, &[second]).await, [1]);
}
