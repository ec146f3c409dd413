//! The habits of services: addresses, the header with the key, and limits.

use reqwest::Url;
use vb_formats::added_headers;
use vb_formats::secret_ref::SecretRef;

use super::address;
use super::headers;
use crate::provider::config::{Dialect, HttpConfig, ProviderConfig, ProviderKind};
use crate::provider::secret;

/// Where OpenAI's own service is.
const OPENAI: &str = "https://api.openai.com/v1";

/// The version of Azure's interface that is asked for when nobody says otherwise: the latest that is generally available.
const AZURE_API_VERSION: &str = "2024-10-21";

/// Headers that may be added to a request, and bytes of the name or value of each.
const MOST_HEADERS: usize = 32;
const LONGEST_HEADER: usize = 4 * 1024;

/// Headers that say how the exchange goes or in what form the answer comes; nobody may change that.
const OF_THE_EXCHANGE: [&str; 10] = [
    "accept",
    "accept-encoding",
    "expect",
    "http2-settings",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "te",
    "trailer",
];

/// What one request may hold, by the dialect.
pub(super) struct DialectLimits {
    pub(super) texts: usize,
    pub(super) request_tokens: usize,
    /// Tokens of one text.
    pub(super) tokens: usize,
}

/// Bytes of the texts of one request: far below what OpenAI takes, and TEI's limit of 2 MB with room for what JSON adds.
pub(super) const REQUEST_BYTES: usize = 1_500_000;

impl Dialect {
    /// OpenAI: 2,048 texts, 300,000 tokens, 8,192 tokens a text, by its documentation; Azure's the same. Others: TEI takes
    /// 32 texts unless it is told otherwise, and is the smallest of the usual ones.
    pub(super) fn limits(self) -> DialectLimits {
        match self {
            Self::Openai | Self::AzureOpenai => DialectLimits {
                texts: 2_048,
                request_tokens: 300_000,
                tokens: 8_191,
            },
            Self::OpenaiCompatible => DialectLimits {
                texts: 32,
                request_tokens: 300_000,
                tokens: 8_191,
            },
        }
    }

    /// The header that carries the key, and what goes before the key in it.
    pub(super) fn key_header(self) -> (&'static str, &'static str) {
        match self {
            Self::Openai | Self::OpenaiCompatible => ("authorization", "Bearer "),
            Self::AzureOpenai => ("api-key", ""),
        }
    }

    /// Where the service is when nobody says.
    fn own_endpoint(self) -> Option<&'static str> {
        match self {
            Self::Openai => Some(OPENAI),
            Self::AzureOpenai | Self::OpenaiCompatible => None,
        }
    }

    /// Whether a service of this kind always wants a key.
    fn needs_key(self) -> bool {
        match self {
            Self::Openai | Self::AzureOpenai => true,
            Self::OpenaiCompatible => false,
        }
    }
}

/// The first thing that is wrong with a configuration, for people, without asking anybody; `Ok` when a call could be
/// made. Keys are read, to see whether they are there.
pub fn check(config: &ProviderConfig) -> Result<(), String> {
    let ProviderKind::Http(http) = &config.kind else {
        return Ok(());
    };
    check_form(config)?;
    if http.endpoint.is_none() && http.dialect.own_endpoint().is_none() {
        return Err("it has no endpoint".to_owned());
    }
    match key_reference(http)? {
        Some(reference) => {
            secret::read(&reference, http.secret_directory.as_deref())?;
        }
        None if http.dialect.needs_key() => return Err("it has no api_key_ref".to_owned()),
        None => {}
    }
    headers::added(&http.options.headers, http.secret_directory.as_deref()).map(|_| ())
}

/// The same of what is written there alone: something may be missing still, and keys are not looked for.
pub fn check_form(config: &ProviderConfig) -> Result<(), String> {
    let ProviderKind::Http(http) = &config.kind else {
        return Ok(());
    };
    if http.endpoint.is_some() {
        url(http, &config.model)?;
    }
    key_reference(http)?;
    check_headers(http)?;
    added_headers::check(&http.options.headers)
}

/// The first added header that would get in the way of ours, or the first thing that is too much.
fn check_headers(http: &HttpConfig) -> Result<(), String> {
    let headers = &http.options.headers;
    if headers.len() > MOST_HEADERS {
        return Err(format!("there are more than {MOST_HEADERS} headers"));
    }
    let (key_header, _) = http.dialect.key_header();
    for (name, value) in headers {
        if name.len().max(value.len()) > LONGEST_HEADER {
            let shown: String = name.chars().take(40).collect();
            return Err(format!("header {shown:?} has more than {LONGEST_HEADER} bytes"));
        }
        let name = name.to_ascii_lowercase();
        if OF_THE_EXCHANGE.contains(&name.as_str()) {
            return Err(format!("header {name:?} cannot be set"));
        }
        if name == key_header && http.api_key_ref.is_some() {
            return Err(format!(
                "header {name:?} carries the key that api_key_ref is for: give one of them"
            ));
        }
    }
    Ok(())
}

fn key_reference(http: &HttpConfig) -> Result<Option<SecretRef>, String> {
    let parsed = http.api_key_ref.as_deref().map(str::parse::<SecretRef>);
    parsed.transpose().map_err(|error| error.to_string())
}

/// Where requests are posted to.
pub(super) fn url(http: &HttpConfig, model: &str) -> Result<Url, String> {
    let endpoint = http.endpoint.as_deref().or(http.dialect.own_endpoint());
    let endpoint = endpoint.ok_or_else(|| "it has no endpoint".to_owned())?;
    let mut url = Url::parse(endpoint).map_err(|error| format!("the endpoint is no address: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the endpoint must not hold a name or a password; use api_key_ref or headers".to_owned());
    }
    // Whatever stands there is stored, shown and dumped as it is.
    if url.query_pairs().any(|(name, _)| name != "api-version") || url.fragment().is_some() {
        return Err("the endpoint must not have a query but api-version; use api_key_ref or headers".to_owned());
    }
    address::check(&url, http.options.local)?;
    let unusable = || format!("endpoint {endpoint:?} cannot have a path");
    let is_complete = url.path().trim_end_matches('/').ends_with("/embeddings");
    let mut path = url.path_segments_mut().map_err(|()| unusable())?;
    path.pop_if_empty();
    match http.dialect {
        _ if is_complete => {}
        Dialect::Openai | Dialect::OpenaiCompatible => {
            path.push("embeddings");
        }
        Dialect::AzureOpenai => {
            let deployment = http.options.deployment.as_deref().unwrap_or(model);
            path.extend(["openai", "deployments", deployment, "embeddings"]);
        }
    }
    drop(path);
    let has_version = url.query_pairs().any(|(name, _)| name == "api-version");
    if http.dialect == Dialect::AzureOpenai && !has_version {
        let version = http.options.api_version.as_deref().unwrap_or(AZURE_API_VERSION);
        url.query_pairs_mut().append_pair("api-version", version);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(dialect: Dialect, endpoint: Option<&str>) -> HttpConfig {
        HttpConfig::new(dialect, endpoint.map(str::to_owned))
    }

    fn url_of(dialect: Dialect, endpoint: Option<&str>) -> Result<String, String> {
        url(&http(dialect, endpoint), "the model").map(String::from)
    }

    #[test]
    fn addresses_are_those_of_the_services_documentation() {
        use Dialect::{AzureOpenai, Openai, OpenaiCompatible};
        let table = [
            (Openai, None, "https://api.openai.com/v1/embeddings"),
            (
                Openai,
                Some("https://eu.example.com/v1/"),
                "https://eu.example.com/v1/embeddings",
            ),
            (
                AzureOpenai,
                Some("https://mine.openai.azure.com"),
                "https://mine.openai.azure.com/openai/deployments/the%20model/embeddings?api-version=2024-10-21",
            ),
            (
                OpenaiCompatible,
                Some("https://tei.example.com/v1"),
                "https://tei.example.com/v1/embeddings",
            ),
            (
                OpenaiCompatible,
                Some("https://tei.example.com/v1/embeddings"),
                "https://tei.example.com/v1/embeddings",
            ),
            (
                OpenaiCompatible,
                Some("https://tei.example.com"),
                "https://tei.example.com/embeddings",
            ),
        ];
        for (dialect, endpoint, expected) in table {
            assert_eq!(url_of(dialect, endpoint).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn deployments_and_versions_are_taken_from_the_options() {
        let mut http = http(Dialect::AzureOpenai, Some("https://mine.openai.azure.com/"));
        http.options.deployment = Some("a/b?c".to_owned());
        http.options.api_version = Some("2023-05-15".to_owned());
        assert_eq!(
            url(&http, "model").map(String::from).as_deref(),
            Ok("https://mine.openai.azure.com/openai/deployments/a%2Fb%3Fc/embeddings?api-version=2023-05-15")
        );
    }

    #[test]
    fn what_is_no_address_or_holds_a_password_is_refused() {
        for endpoint in [
            "",
            "openai",
            "ftp://example.com",
            "mailto:me@example.com",
            "https://name:secret@example.com/v1",
            "file:///etc/passwd",
            "https://example.com/v1?key=secret@",
        ] {
            let error = url_of(Dialect::OpenaiCompatible, Some(endpoint)).expect_err("it cannot be asked");
            assert!(endpoint.is_empty() || !error.contains("secret@"), "{error}");
        }
        assert!(url_of(Dialect::AzureOpenai, None).is_err());
    }

    #[test]
    fn headers_are_few_and_short_and_leave_the_exchange_and_the_key_alone() {
        let with = |headers: &[(&str, &str)], api_key_ref: Option<&str>| {
            let mut http = http(Dialect::OpenaiCompatible, None);
            http.api_key_ref = api_key_ref.map(str::to_owned);
            let headers = headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            http.options.headers = headers.collect();
            check_form(&ProviderConfig {
                name: "p".into(),
                model: "m".into(),
                dimensions: None,
                max_tokens: None,
                kind: ProviderKind::Http(Box::new(http)),
            })
        };
        let authorization = ("Authorization", "env:BASIC");
        assert_eq!(with(&[("x-team", "search"), authorization], None), Ok(()));
        assert_eq!(
            with(&[("api-key", "env:A")], Some("env:B")),
            Ok(()),
            "another dialect's"
        );
        let refusal = with(&[authorization], Some("env:KEY")).expect_err("there are two keys");
        assert!(
            refusal.contains("authorization") && refusal.contains("api_key_ref"),
            "{refusal}"
        );
        for name in [
            "Accept-Encoding",
            "TE",
            "expect",
            "Host",
            "Content-Length",
            "Transfer-Encoding",
            "Connection",
        ] {
            let refusal = with(&[(name, "x")], None).expect_err(name);
            assert!(refusal.contains("cannot be set"), "{refusal}");
        }
        for value in ["two\r\nx-other: lines", "nul\0", "\u{7f}"] {
            assert!(with(&[("x-team", value)], None).is_err(), "{value:?}");
        }
        let long = "x".repeat(LONGEST_HEADER + 1);
        assert!(with(&[("x-team", &long)], None).is_err());
        assert!(with(&[(&long, "x")], None).is_err());
        let names: Vec<String> = (0..=MOST_HEADERS).map(|number| format!("x-{number}")).collect();
        let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
        assert!(with(&many, None).is_err());
        assert_eq!(with(&many[1..], None), Ok(()));
    }
}
