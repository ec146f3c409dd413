//! Finds tokens as OpenAI's embedding models do, and cuts texts that are too long for them.
//!
//! Other models' tokenizers are not known here: theirs count within a fifth or so of the same for most languages, so their
//! texts are cut by this one as well.

use std::ops::Range;

use tiktoken_rs::{CoreBPE, cl100k_base_singleton};

/// Bytes of the longest token; no prefix shorter than the wanted tokens times this can be too short.
const LONGEST_TOKEN: usize = 128;

/// Bytes that are tokenised at a time: time and memory grow faster than a single word's length.
const PIECE: usize = 64 * 1024;

/// Byte ranges of a text's tokens in order, however long it is. Borders may lie inside a character.
pub(super) fn spans(text: &str) -> Vec<Range<usize>> {
    spans_up_to(text, usize::MAX)
}

/// The text's beginning with at most so many tokens. A text has no more tokens than bytes, so most are not looked at.
pub(super) fn beginning(text: &str, tokens: usize) -> &str {
    if text.len() <= tokens {
        return text;
    }
    let end = text.floor_char_boundary(tokens.saturating_mul(LONGEST_TOKEN));
    let spans = spans_up_to(&text[..end], tokens.saturating_add(1));
    match spans.get(tokens) {
        Some(first_too_many) => &text[..text.floor_char_boundary(first_too_many.start)],
        None => &text[..end],
    }
}

fn spans_up_to(text: &str, most: usize) -> Vec<Range<usize>> {
    let tokenizer = tokenizer();
    let mut spans = Vec::new();
    let mut at = 0;
    for piece in pieces(text) {
        for token in tokenizer.encode_ordinary(piece) {
            // A token that the tokenizer gave has bytes.
            let length = tokenizer.decode_bytes(&[token]).map_or(0, |bytes| bytes.len());
            spans.push(at..at + length);
            at += length;
        }
        if spans.len() >= most {
            break;
        }
    }
    spans
}

/// The text in parts, cut at white space where there is some.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let most = rest.floor_char_boundary(PIECE);
        let end = if most == rest.len() {
            most
        } else {
            rest[..most]
                .rfind(char::is_whitespace)
                .filter(|end| *end > most / 2)
                .unwrap_or(most)
        };
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

fn tokenizer() -> &'static CoreBPE {
    cl100k_base_singleton()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn count(text: &str) -> usize {
        spans(text).len()
    }

    #[test]
    fn tokens_are_those_of_openais_models() {
        // Counted with OpenAI's own library.
        assert_eq!(count("hello world"), 2);
        assert_eq!(count("tiktoken is great!"), 6);
        assert_eq!(count(""), 0);
        assert_eq!(spans("hello world"), [0..5, 5..11]);
    }

    #[test]
    fn spans_cover_the_text_without_gaps_also_inside_characters() {
        for text in [
            "お誕生日おめでとう 🎂",
            "a b\nc",
            "<|endoftext|> is text",
            &"word ".repeat(50_000),
        ] {
            let spans = spans(text);
            assert_eq!(spans.first().map(|span| span.start), Some(0));
            assert_eq!(spans.last().map(|span| span.end), Some(text.len()));
            assert!(spans.windows(2).all(|pair| pair[0].end == pair[1].start));
        }
    }

    #[test]
    fn a_beginning_has_as_many_tokens_as_asked_and_ends_with_a_character() {
        let text = "🎂 cake ".repeat(100);
        for tokens in 0..50 {
            let beginning = beginning(&text, tokens);
            assert!(text.starts_with(beginning));
            assert!(count(beginning) <= tokens);
            assert!(count(beginning) + 3 >= tokens, "{tokens}: {beginning}");
        }
        assert_eq!(beginning("short", 100), "short");
    }

    #[test]
    fn a_word_of_a_megabyte_takes_no_time_to_speak_of() {
        let start = Instant::now();
        let text = "x".repeat(1_000_000);
        assert!(count(&text) > 1_000);
        assert!(beginning(&text, 8_191).len() < text.len());
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }
}
