//! Headers that administrators add: a key is only taken as a reference, and nothing that is said about a header depends on
//! its value.
//!
//! An input is the name, a line end, and the value.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vb_formats::added_headers::{Content, parse};

/// Names that must never be taken with a value as it stands.
const NEVER_PLAIN: [&str; 7] = [
    "authorization",
    "api-key",
    "cookie",
    "x-auth-token",
    "host",
    "content-length",
    "transfer-encoding",
];

fuzz_target!(|input: &str| {
    let Some((name, value)) = input.split_once('\n') else {
        return;
    };
    match parse(name, value) {
        Ok((header, content)) => {
            assert!(header.as_str().eq_ignore_ascii_case(name));
            match content {
                Content::Plain(written) => {
                    assert!(!NEVER_PLAIN.contains(&header.as_str()));
                    assert_eq!(written.as_bytes(), value.as_bytes());
                    assert!(
                        !value.contains(['\r', '\n', '\0']),
                        "nothing else goes into the request"
                    );
                }
                Content::Secret(reference) => {
                    assert_eq!(reference.to_string(), value);
                    assert_eq!(value.parse(), Ok(reference));
                }
            }
        }
        Err(error) => {
            let same_for_others = ["x", "\n"]
                .iter()
                .any(|other| parse(name, other).as_ref() == Err(&error));
            assert!(same_for_others, "{error}");
        }
    }
});
