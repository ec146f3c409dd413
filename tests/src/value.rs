//! Values of SQL in their text form: parameters that go in, columns that come out.

use std::fmt;

/// Something that can be a parameter of a statement.
pub trait Parameter {
    /// Its text form; `None` is NULL.
    fn to_sql(&self) -> Option<String>;
}

macro_rules! parameter_as_displayed {
    ($($kind:ty),*) => {$(
        impl Parameter for $kind {
            fn to_sql(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )*};
}

parameter_as_displayed!(str, String, bool, i32, i64, usize, serde_json::Value);

impl<T: Parameter + ?Sized> Parameter for &T {
    fn to_sql(&self) -> Option<String> {
        (**self).to_sql()
    }
}

impl<T: Parameter> Parameter for Option<T> {
    fn to_sql(&self) -> Option<String> {
        self.as_ref().and_then(Parameter::to_sql)
    }
}

/// An array of texts.
impl<T: AsRef<str>> Parameter for [T] {
    fn to_sql(&self) -> Option<String> {
        let quoted = self.iter().map(|text| {
            let text = text.as_ref().replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{text}\"")
        });
        Some(format!("{{{}}}", quoted.collect::<Vec<_>>().join(",")))
    }
}

/// Something that a column can be read as.
pub trait Value: Sized {
    /// Reads the text form; `None` is NULL. The error says what was expected.
    fn from_sql(text: Option<&str>) -> Result<Self, String>;
}

fn parsed<T: std::str::FromStr>(text: Option<&str>) -> Result<T, String>
where
    T::Err: fmt::Display,
{
    let text = text.ok_or("it is NULL")?;
    text.parse()
        .map_err(|error: T::Err| format!("{text:?} is no {}: {error}", std::any::type_name::<T>()))
}

macro_rules! value_as_parsed {
    ($($kind:ty),*) => {$(
        impl Value for $kind {
            fn from_sql(text: Option<&str>) -> Result<Self, String> {
                parsed(text)
            }
        }
    )*};
}

value_as_parsed!(String, i32, i64, u32, f32, f64, uuid::Uuid);

impl Value for bool {
    fn from_sql(text: Option<&str>) -> Result<Self, String> {
        match text {
            Some("t") => Ok(true),
            Some("f") => Ok(false),
            other => Err(format!("{other:?} is no boolean")),
        }
    }
}

impl<T: Value> Value for Option<T> {
    fn from_sql(text: Option<&str>) -> Result<Self, String> {
        text.map(|text| T::from_sql(Some(text))).transpose()
    }
}

/// An array of numbers without NULLs.
impl Value for Vec<f32> {
    fn from_sql(text: Option<&str>) -> Result<Self, String> {
        let text = text.ok_or("it is NULL")?;
        let inner = text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'))
            .ok_or("it is no array")?;
        inner
            .split(',')
            .filter(|number| !number.is_empty())
            .map(|number| parsed(Some(number)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_of_texts_keeps_quotes_commas_and_backslashes() {
        assert_eq!(["a,b", "c\"d\\"][..].to_sql().as_deref(), Some(r#"{"a,b","c\"d\\"}"#));
    }

    #[test]
    fn an_array_of_numbers_is_read() {
        assert_eq!(Vec::<f32>::from_sql(Some("{1,-0.5,1e-3}")), Ok(vec![1.0, -0.5, 0.001]));
        assert_eq!(Vec::<f32>::from_sql(Some("{}")), Ok(vec![]));
        assert!(Vec::<f32>::from_sql(Some("{NULL}")).is_err());
    }
}
