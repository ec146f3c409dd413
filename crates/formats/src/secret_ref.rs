//! References to keys: where one is to be found. A key itself is in no configuration, no message and no log.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a key is to be found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SecretRef {
    /// In an environment variable of the server.
    Env(String),
    /// In a file.
    File(PathBuf),
}

/// A text that is no reference; perhaps a key, so it is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key is given as env:NAME or file:/path, never itself")]
pub struct NotAReference;

impl FromStr for SecretRef {
    type Err = NotAReference;

    fn from_str(text: &str) -> Result<Self, NotAReference> {
        if let Some(name) = text.strip_prefix("env:") {
            let mut letters = name.chars();
            let starts_well = letters
                .next()
                .is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
            if starts_well && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
                return Ok(Self::Env(name.to_owned()));
            }
        }
        match text.strip_prefix("file:") {
            Some(path) if path.starts_with('/') => Ok(Self::File(PathBuf::from(path))),
            _ => Err(NotAReference),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(formatter, "env:{name}"),
            Self::File(path) => write!(formatter, "file:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_references_are_taken_and_nothing_else_is_repeated() {
        assert_eq!("env:MY_KEY".parse(), Ok(SecretRef::Env("MY_KEY".into())));
        assert_eq!("file:/etc/key".parse(), Ok(SecretRef::File("/etc/key".into())));
        for wrong in [
            "sk-secret",
            "env:",
            "env:1X",
            "env:A B",
            "file:",
            "file:relative",
            "ENV:A",
            "",
        ] {
            let error = wrong.parse::<SecretRef>().expect_err("it is no reference");
            assert!(!error.to_string().contains("sk-secret"));
        }
    }
}
