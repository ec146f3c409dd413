//! Whether a request that changes something comes from our own page: other pages may send requests with the browser's
//! password, but neither read the page's token nor say that they are of the same origin.

use axum::http::{HeaderMap, HeaderName, header};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

const CSRF: HeaderName = HeaderName::from_static("x-vb-csrf");
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A random token of this process, which its page carries.
#[derive(Debug)]
pub(crate) struct Csrf(String);

impl Csrf {
    pub(crate) fn new() -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
    }

    pub(crate) fn token(&self) -> &str {
        &self.0
    }

    /// Why a request is not from our page.
    pub(crate) fn refusal(&self, headers: &HeaderMap) -> Option<&'static str> {
        let shown = headers.get(CSRF).map(|value| value.as_bytes()).unwrap_or_default();
        if !bool::from(shown.ct_eq(self.0.as_bytes())) {
            return Some("the header x-vb-csrf does not have the token of the page");
        }
        if headers.get(SITE).is_some_and(|site| site != "same-origin") {
            return Some("the request comes from another site");
        }
        if headers.contains_key(header::ORIGIN) && !is_same_origin(headers) {
            return Some("the request has another origin");
        }
        None
    }
}

/// The origin's host and port are those that were asked for. A proxy may speak TLS for us, so the scheme may differ.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(origin), Some(host)) = (text(header::ORIGIN), text(header::HOST)) else {
        return false;
    };
    ["http://", "https://"]
        .iter()
        .filter_map(|scheme| origin.strip_prefix(scheme))
        .any(|from| from.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(csrf: &Csrf, extra: &[(HeaderName, &str)]) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "localhost:8088".parse().expect("a header"));
        for (name, value) in extra {
            headers.insert(name, value.parse().expect("a header"));
        }
        csrf.refusal(&headers)
    }

    #[test]
    fn our_page_is_let_in() {
        let csrf = Csrf::new();
        let token = csrf.token();
        assert_eq!(refusal(&csrf, &[(CSRF, token)]), None);
        let browser = [
            (CSRF, token),
            (SITE, "same-origin"),
            (header::ORIGIN, "http://localhost:8088"),
        ];
        assert_eq!(refusal(&csrf, &browser), None);
        assert_eq!(
            refusal(&csrf, &[(CSRF, token), (header::ORIGIN, "https://LOCALHOST:8088")]),
            None
        );
    }

    #[test]
    fn others_are_refused() {
        let csrf = Csrf::new();
        let token = csrf.token();
        assert!(refusal(&csrf, &[]).is_some());
        assert!(refusal(&csrf, &[(CSRF, "")]).is_some());
        assert!(refusal(&csrf, &[(CSRF, Csrf::new().token())]).is_some());
        for site in ["cross-site", "same-site", "none"] {
            assert!(refusal(&csrf, &[(CSRF, token), (SITE, site)]).is_some(), "{site}");
        }
        for origin in [
            "null",
            "http://localhost",
            "http://localhost:8089",
            "http://evil.example",
            "ftp://localhost:8088",
        ] {
            assert!(
                refusal(&csrf, &[(CSRF, token), (header::ORIGIN, origin)]).is_some(),
                "{origin}"
            );
        }
    }
}
