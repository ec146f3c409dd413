//! The token that requests have to show, as a bearer token or as the password of HTTP's basic authentication, which browsers
//! ask for by themselves.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use subtle::ConstantTimeEq as _;

/// Shorter ones can be guessed.
const LEAST_LENGTH: usize = 16;

/// Any of these bits lets others than the owner at the file.
const OTHERS: u32 = 0o077;

/// A secret; neither shown nor compared byte by byte.
#[derive(Clone)]
pub(crate) struct Token(String);

#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("the token of {0} has fewer than 16 characters: make one with `openssl rand -hex 32`")]
    Short(String),
    #[error(
        "the token of {0} has blanks or characters other than those of ASCII: make one with `openssl rand -hex 32`"
    )]
    Odd(String),
    #[error("the token file {0} can be read by others: chmod 600 it")]
    Open(PathBuf),
    #[error("the token file {0} cannot be read: {1}")]
    Unreadable(PathBuf, #[source] std::io::Error),
}

impl Token {
    /// `origin` says in errors where the token is from.
    pub(crate) fn new(text: &str, origin: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if text.len() < LEAST_LENGTH {
            return Err(TokenError::Short(origin.to_owned()));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::Odd(origin.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    pub(crate) fn of_file(path: &Path) -> Result<Self, TokenError> {
        let unreadable = |error| TokenError::Unreadable(path.to_owned(), error);
        let mode = fs::metadata(path).map_err(unreadable)?.permissions().mode();
        if mode & OTHERS != 0 {
            return Err(TokenError::Open(path.to_owned()));
        }
        Self::new(
            &fs::read_to_string(path).map_err(unreadable)?,
            &path.display().to_string(),
        )
    }

    /// Whether a request shows it.
    pub(crate) fn is_shown(&self, headers: &HeaderMap) -> bool {
        headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(shown)
            .is_some_and(|shown| bool::from(shown.as_bytes().ct_eq(self.0.as_bytes())))
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The secret in `Bearer SECRET` or `Basic base64(ANYBODY:SECRET)`.
fn shown(authorization: &str) -> Option<String> {
    let (scheme, rest) = authorization.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(BASE64_STANDARD.decode(rest).ok()?).ok()?;
    Some(pair.split_once(':')?.1.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef";

    fn is_shown(authorization: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, authorization.parse().expect("a header"));
        Token::new(SECRET, "test").expect("a token").is_shown(&headers)
    }

    #[test]
    fn the_token_opens_as_bearer_and_as_anybodys_password() {
        assert!(is_shown(&format!("Bearer {SECRET}")));
        assert!(is_shown(&format!("bearer {SECRET}")));
        for name in ["", "anybody", "an ä"] {
            assert!(is_shown(&format!(
                "Basic {}",
                BASE64_STANDARD.encode(format!("{name}:{SECRET}"))
            )));
        }
    }

    #[test]
    fn nothing_else_opens() {
        let token = Token::new(SECRET, "test").expect("a token");
        assert!(!token.is_shown(&HeaderMap::new()));
        for wrong in [
            "Bearer",
            "Bearer ",
            "Bearer 0123456789abcdeF",
            "Bearer 0123456789abcdef0",
            "Bearer 0123456789abcde",
            "Digest 0123456789abcdef",
            "Basic 0123456789abcdef",
            "Basic ???",
        ] {
            assert!(!is_shown(wrong), "{wrong}");
        }
        assert!(!is_shown(&format!("Basic {}", BASE64_STANDARD.encode(SECRET))));
        assert!(!is_shown(&format!(
            "Basic {}",
            BASE64_STANDARD.encode(format!("{SECRET}:"))
        )));
    }

    #[test]
    fn short_and_odd_tokens_are_refused() {
        assert!(matches!(
            Token::new("0123456789abcde", "test"),
            Err(TokenError::Short(_))
        ));
        assert!(matches!(
            Token::new("0123456789 abcdef", "test"),
            Err(TokenError::Odd(_))
        ));
        assert!(Token::new("0123456789abcdef\n", "test").is_ok());
    }

    #[test]
    fn a_token_is_not_written_to_logs() {
        let token = Token::new(SECRET, "test").expect("a token");
        assert!(!format!("{token:?}").contains(SECRET));
    }
}
