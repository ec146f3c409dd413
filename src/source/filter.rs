//! What a search asks of payload columns, from `{"status": "open", "created_at": {"gte": "2026-01-01"}}` to conditions. It is
//! checked against the columns and their types, and never passed on as it is.

use pgrx::PgSqlErrorCode;
use serde_json::{Map, Value};
use uuid::Uuid;
use vb_engine::store::share::{Condition, Range, Scalar, Test};

use super::describe::Source;
use super::payload::{self, Kind, PayloadColumn};
use crate::error::{Result, VbError};
use crate::pg::{spi, transaction};

/// Values of one column that may be listed.
const MOST_VALUES: usize = 1_000;

const SHAPE: &str = "Write it as {\"column\": value}, {\"column\": [one, or, other]}, {\"column\": null}, \
                     {\"column\": {\"gte\": least, \"lt\": bound}} or {\"column\": {\"not\": value}}.";

/// The conditions, all of which have to be true.
pub(crate) fn conditions(source: &Source, filter: &Value) -> Result<Vec<Condition>> {
    let Value::Object(wanted) = filter else {
        return Err(VbError::invalid("filter is no JSON object").hint(SHAPE));
    };
    let mut conditions = Vec::new();
    for (name, wanted) in wanted {
        let column = source.payload.column(name).ok_or_else(|| unknown(source, name))?;
        match wanted {
            Value::Object(bounds) => conditions.extend(bounded(column, bounds)?),
            wanted => conditions.push(condition(column, equal(column, wanted)?, false)),
        }
    }
    Ok(conditions)
}

fn unknown(source: &Source, name: &str) -> VbError {
    let declared = source.payload.names();
    let error = VbError::new(
        PgSqlErrorCode::ERRCODE_UNDEFINED_COLUMN,
        format!("{} declares no payload column {name:?}", source.name),
    );
    if declared.is_empty() {
        error.hint(
            "Declare columns with vb_configure_source(…, payload_columns => ARRAY['…']), then enqueue a backfill.",
        )
    } else {
        error.hint(format!(
            "It declares {}; others with vb_configure_source(…, payload_columns => …).",
            declared.join(", ")
        ))
    }
}

fn condition(column: &PayloadColumn, test: Test, negated: bool) -> Condition {
    Condition {
        field: column.name.clone(),
        test,
        negated,
    }
}

/// One value, one of a list, or none at all.
fn equal(column: &PayloadColumn, wanted: &Value) -> Result<Test> {
    match wanted {
        Value::Null => Ok(Test::Null),
        Value::Array(values) if values.is_empty() => {
            Err(VbError::invalid(format!("filter lists no values for column {:?}", column.name)).hint(SHAPE))
        }
        Value::Array(values) if values.len() > MOST_VALUES => Err(VbError::invalid(format!(
            "filter lists {} values for column {:?}, at most {MOST_VALUES} are compared",
            values.len(),
            column.name
        ))
        .hint("Search several times with a part of them.")),
        Value::Array(values) => {
            let scalars: Result<_> = values.iter().map(|value| scalar(column, value)).collect();
            Ok(Test::Any(scalars?))
        }
        value => Ok(Test::Any(vec![scalar(column, value)?])),
    }
}

/// Bounds, an exception, or both.
fn bounded(column: &PayloadColumn, bounds: &Map<String, Value>) -> Result<Vec<Condition>> {
    let mut conditions = Vec::new();
    let mut range = Range::default();
    for (operator, value) in bounds {
        let bound = match operator.as_str() {
            "not" => {
                conditions.push(condition(column, equal(column, value)?, true));
                continue;
            }
            "gt" => &mut range.gt,
            "gte" => &mut range.gte,
            "lt" => &mut range.lt,
            "lte" => &mut range.lte,
            other => {
                return Err(VbError::invalid(format!(
                    "filter has the unknown operator {other:?} for column {:?}",
                    column.name
                ))
                .hint("Operators are gt, gte, lt, lte and not."));
            }
        };
        let number = number(column, value)?;
        // Stores differ in what they make of a fraction where all values are whole.
        *bound = Some(match (column.kind, operator.as_str()) {
            (Kind::Integer, "gte" | "lt") => number.ceil(),
            (Kind::Integer, _) => number.floor(),
            _ => number,
        });
    }
    if range != Range::default() {
        conditions.push(condition(column, Test::Range(range), false));
    }
    if conditions.is_empty() {
        return Err(VbError::invalid(format!("filter says nothing of column {:?}", column.name)).hint(SHAPE));
    }
    Ok(conditions)
}

fn scalar(column: &PayloadColumn, wanted: &Value) -> Result<Scalar> {
    match (column.kind, wanted) {
        (Kind::Bool, Value::Bool(value)) => Ok(Scalar::Bool(*value)),
        (Kind::Integer, Value::Number(value)) => {
            let whole = value.as_i64().map(Scalar::Integer);
            whole.ok_or_else(|| mismatch(column, wanted))
        }
        (Kind::Number | Kind::Moment(_), value) => number(column, value).map(Scalar::Number),
        (Kind::Text, Value::String(value)) => Ok(Scalar::Text(payload::kept_text(value))),
        (Kind::Uuid, Value::String(text)) => {
            let id = Uuid::parse_str(text).map_err(|_| mismatch(column, wanted))?;
            Ok(Scalar::Text(id.to_string()))
        }
        (Kind::Bool | Kind::Integer | Kind::Uuid | Kind::Text, value) => Err(mismatch(column, value)),
    }
}

fn number(column: &PayloadColumn, value: &Value) -> Result<f64> {
    match (column.kind, value) {
        (Kind::Integer | Kind::Number, Value::Number(number)) => number.as_f64().ok_or_else(|| mismatch(column, value)),
        (Kind::Moment(of), Value::String(text)) => moment(column, of, text),
        (Kind::Bool | Kind::Uuid | Kind::Text, _) => Err(VbError::invalid(format!(
            "column {:?} has no order that filter could go by",
            column.name
        ))
        .hint("gt, gte, lt and lte compare numbers and moments.")),
        (Kind::Integer | Kind::Number | Kind::Moment(_), value) => Err(mismatch(column, value)),
    }
}

/// A moment as Postgres reads it, in the time zone of the session.
fn moment(column: &PayloadColumn, of: &str, text: &str) -> Result<f64> {
    let query = format!("select {}", payload::seconds(&format!("$1::pg_catalog.text::{of}")));
    let read = transaction::attempt(|| spi::read_first(&query, &[text.into()], |row| row.get::<f64>(1)));
    let seconds = read.map_err(|error| {
        let mut error = VbError::new(
            error.code,
            format!("filter for column {:?}: {}", column.name, error.message),
        );
        error.hint = Some("Write moments as '2026-01-31' or '2026-01-31T12:00:00Z'.".to_owned());
        error
    })?;
    match seconds {
        Some(seconds) if seconds.is_finite() => Ok(seconds),
        _ => Err(mismatch(column, &Value::String(text.to_owned()))),
    }
}

fn mismatch(column: &PayloadColumn, value: &Value) -> VbError {
    let wanted = match column.kind {
        Kind::Bool => "true or false",
        Kind::Integer => "a whole number",
        Kind::Number => "a number",
        Kind::Moment(_) => "a finite moment, as a text",
        Kind::Uuid => "a uuid, as a text",
        Kind::Text => "a text",
    };
    VbError::new(
        PgSqlErrorCode::ERRCODE_DATATYPE_MISMATCH,
        format!(
            "filter compares column {:?} with {value}, where it wants {wanted}",
            column.name
        ),
    )
    .hint(SHAPE)
}
