//! What a service says when it refuses a call: the reason, as far as it matters, and its words for people.

use std::collections::HashSet;

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// Letters of a service's own words that are shown.
const SHOWN: usize = 200;

/// Letters of one of our secrets in a row that are not shown: fewer tell nobody anything.
const PART: usize = 8;

/// What the body of a refusal says the reason is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Nothing that is known.
    Nothing,
    /// The account is out of money: waiting does not help.
    QuotaExhausted,
    /// The texts are too long for the model.
    TooLong,
    /// The key, the model or the deployment is not known.
    Misconfigured,
}

/// What the body of a refusal with this HTTP status says the reason is, and its words for people, without anything that
/// could be a key.
pub fn read(status: u16, body: &[u8], secrets: &[&str]) -> (Said, Option<String>) {
    let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let error = body.get("error").unwrap_or(&body);
    let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
    let codes = [text("code"), text("type")];
    let words = [text("message"), error.as_str().unwrap_or_default(), text("detail")];
    let words = words.into_iter().find(|words| !words.is_empty()).unwrap_or_default();
    let said = said(&codes, words);
    // What services say about a key often holds a part of it.
    let is_about_the_key = matches!(status, 401 | 403);
    let words = (!words.is_empty() && !is_about_the_key).then(|| cleaned(words, secrets));
    (said, words)
}

fn said(codes: &[&str], words: &str) -> Said {
    let has = |code: &str| codes.contains(&code);
    if has("insufficient_quota") || has("billing_hard_limit_reached") || has("billing_not_active") {
        return Said::QuotaExhausted;
    }
    if has("invalid_api_key") || has("model_not_found") || has("DeploymentNotFound") {
        return Said::Misconfigured;
    }
    let words = words.to_ascii_lowercase();
    let too_long = [
        "maximum context length",
        "context length",
        "too many tokens",
        "maximum input length",
    ];
    if has("context_length_exceeded") || too_long.iter().any(|phrase| words.contains(phrase)) {
        return Said::TooLong;
    }
    Said::Nothing
}

/// Whether a refusal is about the form in which numbers were asked for.
pub fn is_about_encoding(words: Option<&str>) -> bool {
    words.is_some_and(|words| {
        let words = words.to_ascii_lowercase();
        words.contains("encoding_format") || words.contains("base64")
    })
}

/// One line of bounded length, without our secrets and without whatever looks like one.
pub fn cleaned(words: &str, secrets: &[&str]) -> String {
    let mut line = one_line(words);
    // A key with spaces may come with others between its words.
    for secret in secrets
        .iter()
        .map(|secret| one_line(secret))
        .filter(|secret| !secret.is_empty())
    {
        line = line.replace(&secret, "[key]");
    }
    let parts: HashSet<Vec<char>> = secrets.iter().flat_map(|secret| parts(secret)).collect();
    let is_secret = |word: &str| {
        let decoded = percent_decode_str(word).decode_utf8_lossy();
        looks_like_a_key(word)
            || self::parts(word)
                .chain(self::parts(&decoded))
                .any(|part| parts.contains(&part))
    };
    let words = line.split(' ').map(|word| if is_secret(word) { "[key]" } else { word });
    let line = words.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Every so many letters in a row.
fn parts(text: &str) -> impl Iterator<Item = Vec<char>> {
    let letters: Vec<char> = text.chars().collect();
    let count = (letters.len() + 1).saturating_sub(PART);
    (0..count).map(move |start| letters[start..start + PART].to_vec())
}

/// The words with one space between them.
fn one_line(words: &str) -> String {
    let words = words.split(|letter: char| letter.is_whitespace() || letter.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Keys are long and of letters and digits mixed; some begin in a known way. What services mask with stars is one too.
fn looks_like_a_key(word: &str) -> bool {
    let word = word.trim_matches(|letter: char| !letter.is_ascii_alphanumeric() && letter != '*');
    let has = |of: fn(&char) -> bool| word.chars().any(|letter| of(&letter));
    let is_mixed = has(char::is_ascii_digit) && has(char::is_ascii_alphabetic);
    let is_plain = word
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "-_*.".contains(letter));
    word.contains("sk-") || word.contains("***") || (word.len() >= 24 && is_mixed && is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> (Said, Option<String>) {
        read(status, body.as_bytes(), &["our-own-key"])
    }

    #[test]
    fn reasons_are_found_in_each_shape_of_body() {
        let table = [
            (
                429,
                r#"{"error": {"message": "You exceeded your quota", "type": "insufficient_quota", "code": "insufficient_quota"}}"#,
                Said::QuotaExhausted,
                Some("You exceeded your quota"),
            ),
            (
                400,
                r#"{"error": {"message": "This model's maximum context length is 8192 tokens", "code": null}}"#,
                Said::TooLong,
                Some("This model's maximum context length is 8192 tokens"),
            ),
            (
                404,
                r#"{"error": {"code": "DeploymentNotFound", "message": "no such deployment"}}"#,
                Said::Misconfigured,
                Some("no such deployment"),
            ),
            (
                413,
                r#"{"error": "batch too large", "error_type": "Validation"}"#,
                Said::Nothing,
                Some("batch too large"),
            ),
            (422, r#"{"detail": "broken"}"#, Said::Nothing, Some("broken")),
            (500, "<html>oops</html>", Said::Nothing, None),
            (500, "", Said::Nothing, None),
        ];
        for (status, body, said, words) in table {
            assert_eq!(refusal(status, body), (said, words.map(str::to_owned)), "{body}");
        }
    }

    #[test]
    fn nothing_that_could_be_a_key_is_shown() {
        let of = |status, words: &str| refusal(status, &format!(r#"{{"error": {{"message": "{words}"}}}}"#)).1;
        assert_eq!(of(401, "Incorrect API key provided: sk-abc***xyz"), None);
        assert_eq!(
            of(400, "bad our-own-key here, sk-abc123. and AbCdEfGh1234567890AbCdEfGh12").as_deref(),
            Some("bad [key] here, [key] and [key]")
        );
        let long = of(400, &"word ".repeat(1_000)).expect("there are words");
        assert!(long.chars().count() <= SHOWN + 1);
        assert_eq!(of(400, "two\\nlines \\u0007").as_deref(), Some("two lines"));
        assert_eq!(cleaned("not our\n own  key", &["our own key"]), "not [key]");
        let parts = of(
            400,
            "key 'our-own-k…', our%2Down%2Dkey, our%2Down-k and 'n-key' are bad",
        );
        assert_eq!(parts.as_deref(), Some("key [key] [key] [key] and 'n-key' are bad"));
        assert_eq!(cleaned("not our own key", &["our  own key "]), "not [key]");
    }
}
