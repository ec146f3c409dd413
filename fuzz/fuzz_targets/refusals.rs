//! Refusals of services: what is shown of their words is one short line without our keys.
//!
//! An input is a digit that chooses the HTTP status, and the body.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vb_formats::refusal::{cleaned, is_about_encoding, read};

const STATUSES: [u16; 10] = [400, 401, 403, 404, 413, 422, 429, 500, 503, 529];

/// Keys may have spaces.
const SECRETS: [&str; 3] = ["hidden", "two words", "of  three words"];

/// Letters of a line, and of the sign that there was more.
const LONGEST: usize = 201;

fuzz_target!(|input: &[u8]| {
    let [status, body @ ..] = input else { return };
    let status = STATUSES[usize::from(status.wrapping_sub(b'0')) % STATUSES.len()];
    let (_, words) = read(status, body, &SECRETS);
    let _ = is_about_encoding(words.as_deref());
    match words {
        Some(words) => {
            assert!(!matches!(status, 401 | 403), "it may be about the key");
            check(&words);
        }
        None => check(&cleaned(&String::from_utf8_lossy(body), &SECRETS)),
    }
});

fn check(line: &str) {
    assert!(line.chars().count() <= LONGEST);
    assert!(!line.chars().any(char::is_control), "more than a line: {line:?}");
    for secret in SECRETS {
        let secret: Vec<&str> = secret.split_whitespace().collect();
        assert!(!line.contains(&secret.join(" ")), "{line:?}");
    }
}
