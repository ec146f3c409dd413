//! Headers that go with each request, with the secrets in them.

use std::collections::BTreeMap;
use std::path::Path;

use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use vb_formats::added_headers::{self, Content, NO_VALUE};

use crate::provider::secret;

/// Headers to add to each request, and the secrets that were read for them.
pub(super) fn added(
    headers: &BTreeMap<String, String>,
    secret_directory: Option<&Path>,
) -> Result<(HeaderMap, Vec<SecretString>), String> {
    let mut map = HeaderMap::new();
    let mut secrets = Vec::new();
    for (name, value) in headers {
        let (name, value) = match added_headers::parse(name, value)? {
            (header, Content::Plain(value)) => (header, Some(value)),
            (header, Content::Secret(reference)) => {
                let secret = secret::read(&reference, secret_directory)?;
                let value = sensitive(secret.expose_secret());
                secrets.push(secret);
                (header, value)
            }
        };
        let value = value.ok_or_else(|| format!("header \"{name}\" {NO_VALUE}"))?;
        map.insert(name, value);
    }
    Ok((map, secrets))
}

/// A value that is not shown when the headers are printed.
pub(super) fn sensitive(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}
