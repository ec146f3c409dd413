//! Headers that administrators add to each request.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};

use crate::secret_ref::SecretRef;

/// Parts of names of headers that carry secrets, whose values must be references.
const SECRET_NAMES: [&str; 6] = ["auth", "key", "token", "secret", "cookie", "password"];

/// What is said of such a value.
pub const NO_VALUE: &str = "has a value that no header can have";

/// Headers that belong to the connection or to us.
const OURS: [&str; 6] = [
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "upgrade",
];

/// The first thing that is wrong with headers that somebody wants added, as they are written. No value is repeated.
pub fn check(headers: &BTreeMap<String, String>) -> Result<(), String> {
    headers
        .iter()
        .try_for_each(|(name, value)| parse(name, value).map(|_| ()))
}

/// What a header holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A value as it stands.
    Plain(HeaderValue),
    /// The secret that is to be found there.
    Secret(SecretRef),
}

/// Takes a header apart, or says what is wrong with it without its value.
pub fn parse(name: &str, value: &str) -> Result<(HeaderName, Content), String> {
    let wrong = |what: &str| format!("header {name:?} {what}");
    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong("is no name of a header"))?;
    if OURS.contains(&header.as_str()) {
        return Err(wrong("cannot be set"));
    }
    let content = match value.parse::<SecretRef>() {
        Ok(reference) => Content::Secret(reference),
        Err(_) if SECRET_NAMES.iter().any(|part| header.as_str().contains(part)) => {
            return Err(wrong("carries a secret: give its value as env:NAME or file:/path"));
        }
        Err(_) => Content::Plain(HeaderValue::from_str(value).map_err(|_| wrong(NO_VALUE))?),
    };
    Ok((header, content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_headers_must_be_references_and_ours_cannot_be_set() {
        let check = |name: &str, value: &str| check(&BTreeMap::from([(name.to_owned(), value.to_owned())]));
        assert!(check("x-team", "search").is_ok());
        for (name, value) in [
            ("authorization", "Bearer abc"),
            ("X-Api-Key", "abc"),
            ("cookie", "abc"),
            ("host", "elsewhere"),
            ("no header", "abc"),
            ("x-team", "two\nlines"),
        ] {
            let error = check(name, value).expect_err("it is refused");
            assert!(error.contains(name) && !error.contains("abc"), "{error}");
        }
    }
}
