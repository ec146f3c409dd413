//! What a provider says of how fast it may be called.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue};

/// The longest that a provider is left alone because it says so: some say a day where they mean a minute.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

/// What a provider's headers say of its limits.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RateHeaders {
    /// For requests.
    pub requests: RateHeader,
    /// For tokens.
    pub tokens: RateHeader,
}

/// What headers say of one limit.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RateHeader {
    /// Units a minute.
    pub limit: Option<u32>,
    /// Units left at this moment.
    pub remaining: Option<u32>,
    /// Until all of them are there again, at most [`LONGEST_PAUSE`].
    pub reset: Option<Duration>,
}

/// How long the service wants to be left alone, if it says so, at most [`LONGEST_PAUSE`]: the most exact header counts.
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let milliseconds = text("retry-after-ms").and_then(|value| seconds(value, 1_000.0));
    milliseconds.or_else(|| {
        let value = text("retry-after")?;
        seconds(value, 1.0).or_else(|| {
            let moment = httpdate::parse_http_date(value.trim()).ok()?;
            Some(moment.duration_since(now).unwrap_or_default().min(LONGEST_PAUSE))
        })
    })
}

/// What the service says of its limits.
pub fn rates(headers: &HeaderMap) -> RateHeaders {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let of = |unit: &str| RateHeader {
        limit: text(&format!("x-ratelimit-limit-{unit}")).and_then(number),
        remaining: text(&format!("x-ratelimit-remaining-{unit}")).and_then(number),
        reset: text(&format!("x-ratelimit-reset-{unit}")).and_then(span),
    };
    RateHeaders {
        requests: of("requests"),
        tokens: of("tokens"),
    }
}

/// Some services say -1 where they mean no limit.
fn number(text: &str) -> Option<u32> {
    let value = text.parse::<f64>().ok()?;
    (value >= 0.0 && value.is_finite()).then_some(value as u32)
}

fn seconds(text: &str, parts: f64) -> Option<Duration> {
    pause(text.trim().parse::<f64>().ok()? / parts)
}

/// What is no number is no pause, however the standard library reads it.
fn pause(seconds: f64) -> Option<Duration> {
    let within = seconds.clamp(0.0, LONGEST_PAUSE.as_secs_f64());
    seconds.is_finite().then(|| Duration::from_secs_f64(within))
}

/// A time as these headers write it: `1s`, `6m0s`, `1h2m3.5s`, `120ms`, or plain seconds.
fn span(text: &str) -> Option<Duration> {
    if let Some(plain) = seconds(text, 1.0) {
        return Some(plain);
    }
    if text.is_empty() {
        return None;
    }
    let mut rest = text;
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !(letter.is_ascii_digit() || letter == '.'))?;
        let (value, after) = rest.split_at(digits);
        let letters = after
            .find(|letter: char| !letter.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let unit = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        total += value.parse::<f64>().ok()? * unit;
        rest = after;
    }
    pause(total)
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn map(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        headers.iter().map(header).collect()
    }

    #[test]
    fn each_form_of_retry_after_is_understood() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        type Row = (&'static [(&'static str, &'static str)], Option<u64>);
        let table: [Row; 13] = [
            (&[("retry-after", "86400")], Some(3_600_000)),
            (&[("retry-after", "10000000000000000000")], Some(3_600_000)),
            (&[("retry-after-ms", "1500"), ("retry-after", "7")], Some(1_500)),
            (&[("retry-after", "7")], Some(7_000)),
            (&[("retry-after", "0.25")], Some(250)),
            (&[("retry-after", "-3")], Some(0)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT")], Some(10_000)),
            (&[("retry-after", "Sun, 06 Nov 1994 08:49:07 GMT")], Some(0)),
            (&[("retry-after", "1e30")], Some(3_600_000)),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "nan")], None),
            (&[("retry-after-ms", "inf")], None),
            (&[], None),
        ];
        for (headers, expected) in table {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(*name, HeaderValue::from_str(value).expect("a value"));
            }
            assert_eq!(
                retry_after(&map, now),
                expected.map(Duration::from_millis),
                "{headers:?}"
            );
        }
    }

    #[test]
    fn rate_headers_are_read_as_openai_writes_them() {
        let found = rates(&map(&[
            ("x-ratelimit-limit-requests", "3000"),
            ("x-ratelimit-remaining-requests", "2999"),
            ("x-ratelimit-reset-requests", "20ms"),
            ("x-ratelimit-limit-tokens", "1000000"),
            ("x-ratelimit-remaining-tokens", "0"),
            ("x-ratelimit-reset-tokens", "6m0.5s"),
        ]));
        assert_eq!(found.requests.limit, Some(3_000));
        assert_eq!(found.requests.remaining, Some(2_999));
        assert_eq!(found.requests.reset, Some(Duration::from_millis(20)));
        assert_eq!(found.tokens.remaining, Some(0));
        assert_eq!(found.tokens.reset, Some(Duration::from_millis(360_500)));
        let senseless = rates(&map(&[
            ("x-ratelimit-limit-requests", "-1"),
            ("x-ratelimit-remaining-requests", "many"),
            ("x-ratelimit-reset-requests", "5 parsecs"),
        ]));
        assert_eq!(senseless, RateHeaders::default());
        let empty = rates(&map(&[
            ("x-ratelimit-reset-requests", ""),
            ("x-ratelimit-reset-tokens", "nan"),
        ]));
        assert_eq!(empty, RateHeaders::default());
        let long = rates(&map(&[
            ("x-ratelimit-reset-requests", "1d2h"),
            ("x-ratelimit-reset-tokens", "90000"),
        ]));
        assert_eq!(long.requests.reset, Some(LONGEST_PAUSE));
        assert_eq!(long.tokens.reset, Some(LONGEST_PAUSE));
    }
}
