//! Conditions as the engine's filters. They are written as in Qdrant's documentation and read by the engine.

use qdrant_edge::Filter;
use serde_json::{Value, json};

use crate::point::PointKey;
use crate::store::error::StoreError;
use crate::store::share::{Condition, Range, Scalar, Share, Test};

/// The points of a share for which all of this is true; `None` when those are all there are.
pub(super) fn filter(share: &Share, wanted: &[Condition]) -> Result<Option<Filter>, StoreError> {
    built(conditions(share, wanted))
}

/// Those points of a share that have these keys.
pub(super) fn filter_of_keys(share: &Share, keys: &[PointKey]) -> Result<Filter, StoreError> {
    let mut all = conditions(share, &[]);
    let keys: Vec<Value> = keys.iter().map(key).collect();
    all.must.push(json!({ "has_id": keys }));
    built(all).map(Option::unwrap_or_default)
}

#[derive(Default)]
struct Parts {
    must: Vec<Value>,
    must_not: Vec<Value>,
}

fn conditions(share: &Share, wanted: &[Condition]) -> Parts {
    let mut parts = Parts::default();
    for condition in share.conditions(wanted) {
        let any = json!({ "should": tests(&condition) });
        if condition.negated {
            parts.must_not.push(any);
        } else {
            parts.must.push(any);
        }
    }
    parts
}

/// One of them has to be true.
fn tests(Condition { field, test, .. }: &Condition) -> Vec<Value> {
    match test {
        Test::Any(values) => {
            let value = |scalar: &Scalar| match scalar {
                Scalar::Number(value) => json!({ "key": field, "range": Range::only(*value) }),
                scalar => json!({ "key": field, "match": { "value": scalar } }),
            };
            values.iter().map(value).collect()
        }
        Test::Range(range) => vec![json!({ "key": field, "range": range })],
        Test::Null => vec![
            json!({ "is_null": { "key": field } }),
            json!({ "is_empty": { "key": field } }),
        ],
    }
}

fn key(key: &PointKey) -> Value {
    match key {
        PointKey::Number(number) => json!(number),
        PointKey::Id(id) => json!(id),
    }
}

fn built(Parts { must, must_not }: Parts) -> Result<Option<Filter>, StoreError> {
    if must.is_empty() && must_not.is_empty() {
        return Ok(None);
    }
    serde_json::from_value(json!({ "must": must, "must_not": must_not }))
        .map(Some)
        .map_err(|error| StoreError::Configuration(format!("the engine does not take the filter: {error}")))
}
