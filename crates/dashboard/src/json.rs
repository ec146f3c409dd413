//! Rows as JSON objects, by the types of their columns: bigints that a browser's numbers cannot hold are texts, moments are
//! ISO 8601 in UTC, intervals are seconds.

use std::error::Error;

use jiff::Timestamp;
use serde_json::{Map, Number, Value};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

/// The largest integer up to which a double has all of them.
const LARGEST_EXACT: u64 = 1 << 53;

/// Between 1970, where Unix begins, and 2000, where PostgreSQL does.
const EPOCH_MICROSECONDS: i64 = 946_684_800_000_000;

const SECONDS_OF_DAY: f64 = 86_400.0;

/// As PostgreSQL counts when an interval becomes seconds.
const SECONDS_OF_MONTH: f64 = 30.0 * SECONDS_OF_DAY;
const SECONDS_OF_YEAR: f64 = 365.25 * SECONDS_OF_DAY;

/// All columns under their names.
pub(crate) fn object(row: &Row) -> Map<String, Value> {
    row.columns()
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let value = match row.try_get::<_, Option<Raw<'_>>>(index) {
                Ok(Some(Raw(bytes))) => value(column.type_(), bytes).unwrap_or(Value::Null),
                _ => Value::Null,
            };
            (column.name().to_owned(), value)
        })
        .collect()
}

pub(crate) fn objects(rows: &[Row]) -> Vec<Map<String, Value>> {
    rows.iter().map(object).collect()
}

pub(crate) fn integer(number: i64) -> Value {
    if number.unsigned_abs() < LARGEST_EXACT {
        Value::from(number)
    } else {
        Value::from(number.to_string())
    }
}

/// A moment in microseconds since 1970.
pub(crate) fn moment(microseconds: i64) -> Value {
    Timestamp::from_microsecond(microseconds).map_or(Value::Null, |at| Value::from(at.to_string()))
}

/// What the server sent, of whatever type.
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A value in PostgreSQL's binary format; None for types that nothing of ours has.
fn value(of: &Type, bytes: &[u8]) -> Option<Value> {
    let value = match *of {
        Type::BOOL => Value::from(bytes != [0]),
        Type::INT2 => integer(i16::from_be_bytes(bytes.try_into().ok()?).into()),
        Type::INT4 => integer(i32::from_be_bytes(bytes.try_into().ok()?).into()),
        Type::INT8 => integer(i64::from_be_bytes(bytes.try_into().ok()?)),
        Type::OID => integer(u32::from_be_bytes(bytes.try_into().ok()?).into()),
        // Not the double that is nearest to it, which has more digits.
        Type::FLOAT4 => float(f32::from_be_bytes(bytes.try_into().ok()?).to_string().parse().ok()?),
        Type::FLOAT8 => float(f64::from_be_bytes(bytes.try_into().ok()?)),
        Type::NUMERIC => float(numeric(bytes)?),
        Type::INTERVAL => float(interval(bytes)?),
        Type::TIMESTAMPTZ => match i64::from_be_bytes(bytes.try_into().ok()?) {
            i64::MIN => Value::from("-infinity"),
            i64::MAX => Value::from("infinity"),
            microseconds => moment(microseconds.checked_add(EPOCH_MICROSECONDS)?),
        },
        Type::TEXT_ARRAY => Value::from(<Vec<Option<String>>>::from_sql(of, bytes).ok()?),
        Type::INT8_ARRAY => <Vec<i64>>::from_sql(of, bytes).ok()?.into_iter().map(integer).collect(),
        Type::TEXT | Type::VARCHAR | Type::NAME | Type::BPCHAR | Type::UNKNOWN => {
            Value::from(std::str::from_utf8(bytes).ok()?)
        }
        _ => return None,
    };
    Some(value)
}

/// Whole numbers without a point.
pub(crate) fn float(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < LARGEST_EXACT as f64 {
        return Value::from(number as i64);
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

/// Groups of four decimal digits: their count, the power of 10 000 of the first, the sign.
fn numeric(bytes: &[u8]) -> Option<f64> {
    let words: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect();
    let [count, weight, sign, _scale, groups @ ..] = words.as_slice() else {
        return None;
    };
    let sign = match sign {
        0x0000 => "",
        0x4000 => "-",
        0xC000 => return Some(f64::NAN),
        0xD000 => return Some(f64::INFINITY),
        _ => return Some(f64::NEG_INFINITY),
    };
    let digits: String = groups
        .iter()
        .take(usize::from(*count))
        .map(|group| format!("{group:04}"))
        .collect();
    let weight = i32::from(*weight as i16);
    let exponent = 4 * (weight + 1 - i32::from(*count));
    // Read as a whole, so that 0.1 becomes the double that 0.1 is.
    format!("{sign}0{digits}e{exponent}").parse().ok()
}

fn interval(bytes: &[u8]) -> Option<f64> {
    let microseconds = i64::from_be_bytes(bytes.get(..8)?.try_into().ok()?);
    let days = i32::from_be_bytes(bytes.get(8..12)?.try_into().ok()?);
    let months = i32::from_be_bytes(bytes.get(12..16)?.try_into().ok()?);
    let (years, months) = (f64::from(months / 12), f64::from(months % 12));
    let whole = years * SECONDS_OF_YEAR + months * SECONDS_OF_MONTH + f64::from(days) * SECONDS_OF_DAY;
    Some(whole + microseconds as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(words: &[u16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn bigints_that_a_browser_would_round_are_texts() {
        let shown = |number: i64| value(&Type::INT8, &number.to_be_bytes());
        assert_eq!(shown(-7), Some(json!(-7)));
        assert_eq!(shown((1 << 53) - 1), Some(json!(9_007_199_254_740_991_i64)));
        assert_eq!(shown(1 << 53), Some(json!("9007199254740992")));
        assert_eq!(shown(i64::MIN), Some(json!("-9223372036854775808")));
    }

    #[test]
    fn moments_are_iso_8601_in_utc() {
        let shown = |number: i64| value(&Type::TIMESTAMPTZ, &number.to_be_bytes());
        assert_eq!(shown(0), Some(json!("2000-01-01T00:00:00Z")));
        assert_eq!(shown(1_500_000), Some(json!("2000-01-01T00:00:01.5Z")));
        assert_eq!(shown(i64::MAX), Some(json!("infinity")));
    }

    #[test]
    fn intervals_are_seconds() {
        let shown = |microseconds: i64, days: i32, months: i32| {
            let bytes = [
                &microseconds.to_be_bytes()[..],
                &days.to_be_bytes(),
                &months.to_be_bytes(),
            ]
            .concat();
            value(&Type::INTERVAL, &bytes)
        };
        assert_eq!(shown(1_250_000, 0, 0), Some(json!(1.25)));
        assert_eq!(shown(-1_000_000, 2, 0), Some(json!(172_799)));
        assert_eq!(shown(0, 0, 13), Some(json!(34_149_600)));
    }

    #[test]
    fn numerics_are_numbers() {
        let shown = |parts: &[u16]| value(&Type::NUMERIC, &words(parts));
        assert_eq!(shown(&[0, 0, 0, 0]), Some(json!(0)));
        assert_eq!(shown(&[1, 0, 0, 0, 42]), Some(json!(42)));
        assert_eq!(shown(&[2, 0, 0x4000, 1, 12, 5000]), Some(json!(-12.5)));
        // 0.0001234 and 100000000
        assert_eq!(shown(&[2, 0xFFFF, 0, 7, 1, 2340]), Some(json!(0.000_123_4)));
        assert_eq!(shown(&[1, 2, 0, 0, 1]), Some(json!(100_000_000)));
        assert_eq!(shown(&[0, 0, 0xC000, 0]), Some(Value::Null));
    }

    #[test]
    fn reals_keep_the_digits_they_have() {
        assert_eq!(value(&Type::FLOAT4, &12.3_f32.to_be_bytes()), Some(json!(12.3)));
        assert_eq!(value(&Type::FLOAT4, &f32::NAN.to_be_bytes()), Some(Value::Null));
    }

    #[test]
    fn what_cannot_be_read_is_nothing() {
        assert_eq!(value(&Type::INT8, &[1]), None);
        assert_eq!(value(&Type::NUMERIC, &[]), None);
        assert_eq!(value(&Type::POINT, &[0; 16]), None);
    }
}
