//! Filters mean what they say.

use qdrant_client::qdrant::condition::ConditionOneOf;
use qdrant_client::qdrant::r#match::MatchValue;
use qdrant_client::qdrant::{
    Condition, DatetimeRange, FieldCondition, Filter, Match, PointId, Range, RepeatedIntegers, RepeatedStrings,
};
use serde_json::json;

use crate::client::{dense, server};

fn matching(key: &str, value: MatchValue) -> Condition {
    Condition::from(ConditionOneOf::Field(FieldCondition {
        key: key.to_owned(),
        r#match: Some(Match {
            match_value: Some(value),
        }),
        ..FieldCondition::default()
    }))
}

fn words(words: &[&str]) -> RepeatedStrings {
    RepeatedStrings {
        strings: words.iter().map(|word| (*word).to_owned()).collect(),
    }
}

#[tokio::test]
async fn each_condition_selects_what_it_says() {
    let (_double, mut client) = server().await;
    let two_parts = json!([{"p": 1, "q": "x"}, {"p": 2, "q": "y"}]);
    let payloads = [
        json!({"k": "a", "i": 1, "b": true, "t": "2024-05-01T00:00:00Z", "parts": two_parts}),
        json!({"k": "b", "i": 2, "b": false, "t": "2024-06-01T00:00:00Z", "parts": [{"p": 1, "q": "y"}]}),
        json!({"k": "c", "i": 3, "f": 0.5, "z": null}),
    ];
    let points = payloads.into_iter().zip(1_u64..);
    client
        .upsert(points.map(|(payload, id)| dense(id, vec![1.0; 4], payload)))
        .await
        .unwrap();

    let integers = |integers: &[i64]| RepeatedIntegers {
        integers: integers.to_vec(),
    };
    let nested = Filter::must([Condition::matches("p", 1), Condition::matches("q", "y".to_owned())]);
    let from_mid_may = DatetimeRange {
        gte: Some("2024-05-15T00:00:00Z".parse().unwrap()),
        ..DatetimeRange::default()
    };
    let above_one = Range {
        gt: Some(1.0),
        ..Range::default()
    };
    let field_is_null = Condition::from(ConditionOneOf::Field(FieldCondition {
        key: "z".to_owned(),
        is_null: Some(true),
        ..FieldCondition::default()
    }));
    let by_condition: [(Condition, &[u64]); 15] = [
        (matching("k", MatchValue::Keyword("b".to_owned())), &[2]),
        (matching("k", MatchValue::Keywords(words(&["a", "c"]))), &[1, 3]),
        (matching("k", MatchValue::ExceptKeywords(words(&["a"]))), &[2, 3]),
        (matching("i", MatchValue::Integer(3)), &[3]),
        (matching("i", MatchValue::Integers(integers(&[1, 2]))), &[1, 2]),
        (matching("i", MatchValue::ExceptIntegers(integers(&[1, 2]))), &[3]),
        (matching("b", MatchValue::Boolean(true)), &[1]),
        (Condition::range("i", above_one), &[2, 3]),
        (Condition::datetime_range("t", from_mid_may), &[2]),
        (Condition::is_empty("b"), &[3]),
        (Condition::is_null("z"), &[3]),
        (field_is_null, &[3]),
        (Condition::has_id([PointId::from(1), PointId::from(9)]), &[1]),
        (Condition::nested("parts", nested.clone()), &[2]),
        (Condition::from(Filter::must_not([Condition::matches("i", 1)])), &[2, 3]),
    ];
    for (condition, expected) in by_condition {
        let found = client.matching(Filter::must([condition.clone()])).await;
        assert_eq!(found, expected, "{condition:?}");
    }
    let flat = Filter::must([
        Condition::matches("parts[].p", 1),
        Condition::matches("parts[].q", "y".to_owned()),
    ]);
    assert_eq!(
        client.matching(flat).await,
        [1, 2],
        "not nested, parts do not belong together"
    );
}

#[tokio::test]
async fn must_should_and_must_not_hold_together() {
    let (_double, mut client) = server().await;
    let points = (1..=6_u64).map(|id| dense(id, vec![1.0; 4], json!({"i": id, "odd": id % 2 == 1})));
    client.upsert(points).await.unwrap();
    let filter = Filter {
        must: vec![Condition::matches("odd", true)],
        should: vec![
            Condition::matches("i", 1),
            Condition::matches("i", 2),
            Condition::matches("i", 3),
        ],
        must_not: vec![Condition::matches("i", 1)],
        min_should: None,
    };
    assert_eq!(client.matching(filter).await, [3]);
    let several = [
        Condition::matches("odd", true),
        Condition::matches("i", 5),
        Condition::matches("i", 2),
    ];
    let at_least_two = Filter::min_should(2, several);
    assert_eq!(client.matching(at_least_two).await, [5]);
    assert_eq!(client.count(Some(Filter::default())).await.unwrap(), 6);
}
