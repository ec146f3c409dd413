//! Conditions as Qdrant's filters.

use qdrant_client::qdrant::condition::ConditionOneOf;
use qdrant_client::qdrant::r#match::MatchValue;
use qdrant_client::qdrant::{
    Condition as QdrantCondition, FieldCondition, Filter, HasIdCondition, IsEmptyCondition, IsNullCondition, Match,
    Range as QdrantRange,
};

use super::points::point_id;
use crate::point::PointKey;
use crate::store::share::{Condition, Range, Scalar, Share, Test};

/// The points of a share for which all of this is true; `None` when those are all there are.
pub(super) fn filter(share: &Share, wanted: &[Condition]) -> Option<Filter> {
    let mut filter = Filter::default();
    for condition in share.conditions(wanted) {
        let any = Filter {
            should: tests(&condition),
            ..Filter::default()
        };
        let any = of(ConditionOneOf::Filter(any));
        if condition.negated {
            filter.must_not.push(any);
        } else {
            filter.must.push(any);
        }
    }
    (filter != Filter::default()).then_some(filter)
}

/// Those points of a share that have these keys.
pub(super) fn filter_of_keys(share: &Share, keys: &[PointKey]) -> Filter {
    let mut filter = filter(share, &[]).unwrap_or_default();
    filter.must.push(of(ConditionOneOf::HasId(HasIdCondition {
        has_id: keys.iter().copied().map(point_id).collect(),
    })));
    filter
}

/// One of them has to be true.
fn tests(Condition { field, test, .. }: &Condition) -> Vec<QdrantCondition> {
    match test {
        Test::Any(values) => {
            let value = |scalar: &Scalar| {
                let value = match scalar {
                    Scalar::Bool(value) => MatchValue::Boolean(*value),
                    Scalar::Integer(value) => MatchValue::Integer(*value),
                    Scalar::Number(value) => return within(field, Range::only(*value)),
                    Scalar::Text(value) => MatchValue::Keyword(value.clone()),
                };
                of(ConditionOneOf::Field(FieldCondition {
                    key: field.clone(),
                    r#match: Some(Match {
                        match_value: Some(value),
                    }),
                    ..FieldCondition::default()
                }))
            };
            values.iter().map(value).collect()
        }
        Test::Range(range) => vec![within(field, *range)],
        Test::Null => vec![
            of(ConditionOneOf::IsNull(IsNullCondition { key: field.clone() })),
            of(ConditionOneOf::IsEmpty(IsEmptyCondition { key: field.clone() })),
        ],
    }
}

fn within(field: &str, Range { gt, gte, lt, lte }: Range) -> QdrantCondition {
    of(ConditionOneOf::Field(FieldCondition {
        key: field.to_owned(),
        range: Some(QdrantRange { gt, gte, lt, lte }),
        ..FieldCondition::default()
    }))
}

fn of(condition: ConditionOneOf) -> QdrantCondition {
    QdrantCondition {
        condition_one_of: Some(condition),
    }
}
