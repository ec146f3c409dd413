//! Headers that say how fast to go: no pause is longer than the longest, and none comes from words without a number.
//!
//! An input is headers, one a line.

#![no_main]

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use vb_formats::rate_headers::{LONGEST_PAUSE, rates, retry_after};

/// 6 November 1994, 08:49:37: the moment of examples in HTTP's specification.
const NOW: Duration = Duration::from_secs(784_111_777);

fuzz_target!(|input: &[u8]| {
    let mut headers = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n') {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (name, value) = line.split_at(colon);
        let value = HeaderValue::from_bytes(value.get(1..).unwrap_or_default());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), value) {
            headers.append(name, value);
        }
    }
    let has_number = |name: &str| {
        let value = headers.get(name).map(HeaderValue::as_bytes).unwrap_or_default();
        value.iter().any(u8::is_ascii_digit)
    };

    let now = SystemTime::UNIX_EPOCH + NOW;
    let pause = retry_after(&headers, now);
    if let Some(pause) = pause {
        assert!(pause <= LONGEST_PAUSE);
        assert!(has_number("retry-after") || has_number("retry-after-ms"));
    }
    let later = retry_after(&headers, now + Duration::from_secs(60));
    assert!(
        later <= pause && later.is_some() == pause.is_some(),
        "time does not make it longer"
    );

    let found = rates(&headers);
    for (unit, header) in [("requests", found.requests), ("tokens", found.tokens)] {
        let read = [
            ("limit", header.limit.is_some()),
            ("remaining", header.remaining.is_some()),
            ("reset", header.reset.is_some()),
        ];
        for (what, is_read) in read {
            assert!(!is_read || has_number(&format!("x-ratelimit-{what}-{unit}")), "{what}");
        }
        assert!(header.reset <= Some(LONGEST_PAUSE));
    }
});
