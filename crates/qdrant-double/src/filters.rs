//! Filters. A condition that the double does not know is refused, never left out.

use qdrant_client::qdrant::condition::ConditionOneOf;
use qdrant_client::qdrant::r#match::MatchValue;
use qdrant_client::qdrant::{
    Condition, DatetimeRange, FieldCondition, Filter, Match, MinShould, NestedCondition, Range,
};
use qdrant_edge::external::ordered_float::OrderedFloat;
use qdrant_edge::{
    Condition as EngineCondition, DateTimeWrapper, FieldCondition as EngineField, Filter as EngineFilter,
    HasVectorCondition, IsEmptyCondition, IsNullCondition, Match as EngineMatch, MatchExcept,
    MinShould as EngineMinShould, Nested, NestedCondition as EngineNested, Range as EngineRange, RangeInterface,
};
use tonic::Status;

use crate::ids;
use crate::selectors::path;
use crate::status::unserved_if;

/// The engine's filter.
pub(crate) fn filter(filter: Filter) -> Result<EngineFilter, Status> {
    Ok(EngineFilter {
        should: some(filter.should)?,
        min_should: filter.min_should.map(min_should).transpose()?,
        must: some(filter.must)?,
        must_not: some(filter.must_not)?,
    })
}

/// The same of a filter that may be missing.
pub(crate) fn optional(given: Option<Filter>) -> Result<Option<EngineFilter>, Status> {
    given.map(filter).transpose()
}

/// No conditions are not a list of none: nothing would match an empty `should`.
fn some(conditions: Vec<Condition>) -> Result<Option<Vec<EngineCondition>>, Status> {
    let conditions = all(conditions)?;
    Ok(if conditions.is_empty() { None } else { Some(conditions) })
}

/// The real server leaves conditions out that say nothing, wherever they stand; so must we.
fn all(conditions: Vec<Condition>) -> Result<Vec<EngineCondition>, Status> {
    let said = conditions
        .into_iter()
        .filter_map(|condition| condition.condition_one_of);
    said.map(condition).collect()
}

fn min_should(given: MinShould) -> Result<EngineMinShould, Status> {
    Ok(EngineMinShould {
        conditions: all(given.conditions)?,
        min_count: usize::try_from(given.min_count).unwrap_or(usize::MAX),
    })
}

fn condition(condition: ConditionOneOf) -> Result<EngineCondition, Status> {
    Ok(match condition {
        ConditionOneOf::Field(condition) => EngineCondition::Field(field(condition)?),
        ConditionOneOf::IsEmpty(condition) => EngineCondition::IsEmpty(IsEmptyCondition::from(path(&condition.key)?)),
        ConditionOneOf::IsNull(condition) => EngineCondition::IsNull(IsNullCondition::from(path(&condition.key)?)),
        ConditionOneOf::HasId(condition) => {
            EngineCondition::HasId(ids::engine_ids(condition.has_id)?.into_iter().collect())
        }
        ConditionOneOf::HasVector(condition) => {
            EngineCondition::HasVector(HasVectorCondition::from(condition.has_vector))
        }
        ConditionOneOf::Filter(inner) => EngineCondition::Filter(filter(inner)?),
        ConditionOneOf::Nested(condition) => EngineCondition::Nested(nested(condition)?),
        ConditionOneOf::Slice(_) => return Err(Status::unimplemented("the double does not serve slices")),
    })
}

fn nested(condition: NestedCondition) -> Result<EngineNested, Status> {
    let inner = condition
        .filter
        .ok_or_else(|| Status::invalid_argument("Nested filter must not be empty"))?;
    Ok(EngineNested {
        nested: Nested {
            key: path(&condition.key)?,
            filter: filter(inner)?,
        },
    })
}

fn field(condition: FieldCondition) -> Result<EngineField, Status> {
    let has_geo =
        condition.geo_bounding_box.is_some() || condition.geo_radius.is_some() || condition.geo_polygon.is_some();
    unserved_if(has_geo, "conditions about places")?;
    unserved_if(condition.values_count.is_some(), "conditions about numbers of values")?;
    let range = match (condition.range, condition.datetime_range) {
        // Of two, the real server takes this one.
        (Some(range), _) => Some(RangeInterface::Float(float_range(range))),
        (None, Some(range)) => Some(RangeInterface::DateTime(datetime_range(range)?)),
        (None, None) => None,
    };
    let r#match = condition.r#match.map(field_match).transpose()?;
    if r#match.is_none() && range.is_none() && condition.is_empty.is_none() && condition.is_null.is_none() {
        return Err(Status::invalid_argument(
            "Validation error in body: [filter: At least one field condition must be specified]",
        ));
    }
    Ok(EngineField {
        key: path(&condition.key)?,
        r#match,
        range,
        geo_bounding_box: None,
        geo_radius: None,
        geo_polygon: None,
        values_count: None,
        is_empty: condition.is_empty,
        is_null: condition.is_null,
    })
}

fn field_match(given: Match) -> Result<EngineMatch, Status> {
    Ok(match given.match_value {
        Some(MatchValue::Keyword(keyword)) => EngineMatch::from(keyword),
        Some(MatchValue::Integer(integer)) => EngineMatch::from(integer),
        Some(MatchValue::Boolean(boolean)) => EngineMatch::from(boolean),
        Some(MatchValue::Keywords(keywords)) => EngineMatch::from(keywords.strings),
        Some(MatchValue::Integers(integers)) => EngineMatch::from(integers.integers),
        Some(MatchValue::ExceptKeywords(keywords)) => EngineMatch::Except(MatchExcept::from(keywords.strings)),
        Some(MatchValue::ExceptIntegers(integers)) => EngineMatch::Except(MatchExcept::from(integers.integers)),
        Some(_) => return Err(Status::unimplemented("the double does not match parts of texts")),
        None => return Err(Status::invalid_argument("Malformed Match condition")),
    })
}

fn float_range(range: Range) -> EngineRange<OrderedFloat<f64>> {
    EngineRange {
        lt: range.lt.map(OrderedFloat),
        gt: range.gt.map(OrderedFloat),
        gte: range.gte.map(OrderedFloat),
        lte: range.lte.map(OrderedFloat),
    }
}

fn datetime_range(range: DatetimeRange) -> Result<EngineRange<DateTimeWrapper>, Status> {
    // The type of timestamps is that of a crate we need nothing else of.
    macro_rules! moment {
        ($timestamp:expr) => {
            match $timestamp {
                Some(timestamp) => Some(moment(timestamp.seconds, timestamp.nanos)?),
                None => None,
            }
        };
    }
    Ok(EngineRange {
        lt: moment!(range.lt),
        gt: moment!(range.gt),
        gte: moment!(range.gte),
        lte: moment!(range.lte),
    })
}

fn moment(seconds: i64, nanoseconds: i32) -> Result<DateTimeWrapper, Status> {
    let microseconds = i64::from(nanoseconds) / 1_000;
    seconds
        .checked_mul(1_000_000)
        .and_then(|whole| whole.checked_add(microseconds))
        .and_then(DateTimeWrapper::from_timestamp)
        .ok_or_else(|| Status::invalid_argument("Unable to parse timestamp"))
}
