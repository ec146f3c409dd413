//! Texts to token numbers, cut to the model's window.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use tokenizers::{Encoding, PostProcessor, Tokenizer, TruncationDirection};

use crate::provider::contract::{PLAIN_TEXT, ProviderError};

/// Bytes of text per token of the window that are tokenised at first. Prose has 4 to 5.
const FIRST_BYTES_PER_TOKEN: usize = 12;

/// Tokens that a part of a text must have beyond the window before it may stand for the whole. Where the text was cut,
/// a tokenizer may see another word than in the whole text; what it makes of it stays outside of the window.
const MARGIN: usize = 32;

/// The widest window. Published models have up to 32,768 tokens; a wider one would take more memory than any machine has.
const WIDEST: usize = 65_536;

/// One text as the model takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TokenizedText {
    /// Token numbers, special tokens included, at most as many as the window.
    pub(super) ids: Vec<u32>,
    /// Segment numbers, as many as `ids`.
    pub(super) type_ids: Vec<u32>,
    /// Whether the text has more tokens.
    pub(super) truncated: bool,
}

/// A tokenizer with the window of its model.
pub(super) struct TextTokenizer {
    tokenizer: Tokenizer,
    /// Tokens of the text itself that fit into the window.
    content_tokens: usize,
    first_bytes: usize,
    padding_id: u32,
}

impl TextTokenizer {
    /// Makes a tokenizer of the bytes of `tokenizer.json`, which messages call by its path; `window` counts special tokens.
    pub(super) fn load(path: &Path, bytes: &[u8], window: usize) -> Result<Self, ProviderError> {
        if window > WIDEST {
            return Err(ProviderError::Configuration(format!(
                "max_tokens is {window}, and no model takes more than {WIDEST}"
            )));
        }
        let tokenizer = guarded(|| Tokenizer::from_bytes(bytes))
            .map_err(|problem| configuration(path, &format!("is not a tokenizer: {problem}")))?;
        let special_tokens = added_by(&tokenizer);
        if window <= special_tokens {
            return Err(ProviderError::Configuration(format!(
                "max_tokens is {window}, but the model's special tokens alone are {special_tokens}"
            )));
        }
        // We tokenise on threads of our own; the library would start one more for each core.
        tokenizers::utils::parallelism::set_parallelism(false);
        let tokenizer = Self::new(tokenizer, window - special_tokens);
        // One that refuses every text is at fault, not the texts.
        match tokenizer.tokenize(PLAIN_TEXT) {
            Ok(_) => Ok(tokenizer),
            Err(error) => Err(configuration(path, &format!("cannot be used: {error}"))),
        }
    }

    fn new(mut tokenizer: Tokenizer, content_tokens: usize) -> Self {
        let padding_id = tokenizer.get_padding().map_or(0, |padding| padding.pad_id);
        // Published files pad every text to a fixed length and cut at another: both are ours to decide.
        tokenizer.with_padding(None);
        if tokenizer.with_truncation(None).is_err() {
            log::debug!("the tokenizer's own truncation could not be switched off");
        }
        Self {
            tokenizer,
            content_tokens,
            first_bytes: content_tokens * FIRST_BYTES_PER_TOKEN,
            padding_id,
        }
    }

    /// Tokens of a text that the model sees, without special tokens.
    pub(super) fn content_tokens(&self) -> usize {
        self.content_tokens
    }

    /// Tokens that every text gets besides its own.
    pub(super) fn special_tokens(&self) -> usize {
        added_by(&self.tokenizer)
    }

    /// What fills the rest of a shorter text's row.
    pub(super) fn padding_id(&self) -> u32 {
        self.padding_id
    }

    /// A row as long as the window that asks the model for its last token number: a model that can run it can run
    /// everything this tokenizer makes.
    pub(super) fn widest_row(&self) -> TokenizedText {
        let last = self.tokenizer.get_vocab_size(true).saturating_sub(1) as u32;
        let length = self.content_tokens + self.special_tokens();
        TokenizedText {
            ids: vec![last; length],
            type_ids: vec![0; length],
            truncated: false,
        }
    }

    /// The tokens of a text that fit into the window.
    pub(super) fn tokenize(&self, text: &str) -> Result<TokenizedText, ProviderError> {
        let mut length = self.first_bytes;
        loop {
            let part = beginning(text, length);
            let encoding = self.encode(part)?;
            if part.len() == text.len() || encoding.len() >= self.content_tokens + MARGIN {
                return self.fit(encoding);
            }
            length = length.saturating_mul(4);
        }
    }

    /// Byte ranges of all tokens of the text in order, none empty, on borders of characters.
    pub(super) fn spans(&self, text: &str) -> Result<Vec<Range<usize>>, ProviderError> {
        let encoding = guarded(|| self.tokenizer.encode(text, false)).map_err(refused)?;
        let spans = encoding.get_offsets().iter();
        Ok(spans
            .map(|&(start, end)| text.floor_char_boundary(start)..text.ceil_char_boundary(end))
            .filter(|span| !span.is_empty())
            .collect())
    }

    fn encode(&self, text: &str) -> Result<Encoding, ProviderError> {
        guarded(|| self.tokenizer.encode_fast(text, false)).map_err(refused)
    }

    /// Cuts to the window and adds the special tokens.
    fn fit(&self, mut encoding: Encoding) -> Result<TokenizedText, ProviderError> {
        let truncated = encoding.len() > self.content_tokens;
        if truncated {
            encoding.truncate(self.content_tokens, 0, TruncationDirection::Right);
            encoding.take_overflowing();
        }
        let encoding = guarded(|| self.tokenizer.post_process(encoding, None, true)).map_err(refused)?;
        if encoding.is_empty() {
            return Err(ProviderError::Record("the text has no tokens".to_owned()));
        }
        Ok(TokenizedText {
            ids: encoding.get_ids().to_vec(),
            type_ids: encoding.get_type_ids().to_vec(),
            truncated,
        })
    }
}

/// About the first `length` bytes of the text, cut where a word begins whatever the tokenizer calls a word.
fn beginning(text: &str, length: usize) -> &str {
    if text.len() <= length {
        return text;
    }
    let at = text.floor_char_boundary(length);
    let border = text[..at].rfind(starts_a_word).filter(|&border| border > 0);
    let border = border.or_else(|| text[at..].find(starts_a_word).map(|border| at + border));
    border.map_or(text, |border| &text[..border])
}

/// Characters that never belong to the word before them: white space, punctuation, and the ideographs of scripts that
/// write no spaces.
fn starts_a_word(character: char) -> bool {
    character.is_whitespace()
        || character.is_ascii_punctuation()
        || matches!(character, '\u{3001}'..='\u{3003}' | '\u{4e00}'..='\u{9fff}')
}

/// What the library makes of something, or the reason why it makes nothing of it: it panics at some files and texts.
fn guarded<T>(call: impl FnOnce() -> tokenizers::Result<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(outcome) => outcome.map_err(|error| error.to_string()),
        Err(_) => Err("the tokenizer panicked".to_owned()),
    }
}

fn refused(problem: String) -> ProviderError {
    ProviderError::Record(format!("the tokenizer refused the text: {problem}"))
}

fn added_by(tokenizer: &Tokenizer) -> usize {
    tokenizer
        .get_post_processor()
        .map_or(0, |processor| processor.added_tokens(false))
}

fn configuration(path: &Path, problem: &str) -> ProviderError {
    ProviderError::Configuration(format!(
        "tokenizer \"{}\" {problem}; the model's folder must hold model.onnx and the tokenizer.json published with it",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A small tokenizer of the same make as MiniLM's, with the fixed padding and truncation of the published file.
    fn tokenizer() -> Tokenizer {
        let json = serde_json::json!({
            "version": "1.0",
            "truncation": {"max_length": 5, "strategy": "LongestFirst", "stride": 0, "direction": "Right"},
            "padding": {"strategy": {"Fixed": 7}, "direction": "Right", "pad_to_multiple_of": null,
                        "pad_id": 3, "pad_type_id": 0, "pad_token": "[PAD]"},
            "added_tokens": [{"id": 2, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false,
                              "normalized": false, "special": true}],
            "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                           "strip_accents": null, "lowercase": true},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": {"type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                           {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [1], "tokens": ["[CLS]"]},
                                   "[SEP]": {"id": "[SEP]", "ids": [2], "tokens": ["[SEP]"]}}},
            "decoder": null,
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100,
                "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "[PAD]": 3, "a": 4, "##a": 5, "b": 6, "##b": 7, "ab": 8,
                          "##ba": 9, ".": 10, ",": 11, "中": 12, "文": 13, "e": 14, "##e": 15, "[": 16, "]": 17,
                          "sep": 18, "{": 19, "\"": 20, "aba": 21}}
        });
        Tokenizer::from_bytes(json.to_string()).expect("tokenizer")
    }

    /// Pieces that meet at every kind of border, and words too long for the model's vocabulary.
    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[abe]{1,12}",
            "[ab]{90,130}",
            " {1,9}",
            "[.,{\"]{1,5}",
            "[中文、。]{1,6}",
            "\n",
            "e\u{301}{1,3}",
            "\u{301}",
            "🙂",
            "\u{3000}",
            "[\\[\\]]",
            Just("[SEP]".to_owned()),
            "[abe]{3} [ab]{2}",
            "عربي",
            "\u{94d}",
        ];
        proptest::collection::vec(piece, 0..120).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(600))]

        #[test]
        fn a_part_of_the_text_gives_the_tokens_of_the_whole(
            text in text(),
            content_tokens in 1usize..20,
            first in 1usize..200,
        ) {
            let mut tokenizer = TextTokenizer::new(tokenizer(), content_tokens);
            tokenizer.first_bytes = first;
            let whole = tokenizer.fit(tokenizer.encode(&text).expect("encoded")).expect("fitted");
            prop_assert_eq!(tokenizer.tokenize(&text).expect("tokenized"), whole);
        }

        #[test]
        fn spans_lie_on_borders_of_characters_in_order(text in text()) {
            let spans = TextTokenizer::new(tokenizer(), 4).spans(&text).expect("spans");
            prop_assert!(spans.iter().all(|span| text.get(span.clone()).is_some_and(|token| !token.is_empty())));
            prop_assert!(spans.is_sorted_by_key(|span| span.start));
        }
    }

    #[test]
    fn the_files_own_padding_and_truncation_are_off() {
        let tokenizer = TextTokenizer::new(tokenizer(), 254);
        let tokenized = tokenizer.tokenize("a b a b a b").expect("tokenized");
        assert_eq!(tokenized.ids, [1, 4, 6, 4, 6, 4, 6, 2]);
        assert!(!tokenized.truncated);
        assert_eq!(tokenizer.padding_id(), 3);
    }

    #[test]
    fn a_text_that_just_fits_is_not_truncated_and_one_token_more_is() {
        let tokenizer = TextTokenizer::new(tokenizer(), 3);
        let fits = tokenizer.tokenize("a b a").expect("tokenized");
        assert_eq!(
            (fits.ids.as_slice(), fits.truncated),
            ([1, 4, 6, 4, 2].as_slice(), false)
        );
        let longer = tokenizer.tokenize("a b a b").expect("tokenized");
        assert_eq!((longer.ids, longer.truncated), (fits.ids, true));
    }

    #[test]
    fn a_long_text_is_read_only_as_far_as_needed() {
        let text = "ab a. ".repeat(200_000);
        assert!(beginning(&text, 3000).len() <= 3000);
        let minified = "{\"a\",\"b\"}".repeat(100_000);
        assert!(beginning(&minified, 3000).len() > 2900);
        let chinese = "中文".repeat(100_000);
        assert!(beginning(&chinese, 3000).len() > 2990);
    }

    #[test]
    fn a_window_without_room_for_text_is_refused() {
        let bytes = tokenizer().to_string(false).expect("json");
        let load = |window| TextTokenizer::load(Path::new("tokenizer.json"), bytes.as_bytes(), window);
        for window in [2, WIDEST + 1] {
            let refusal = load(window).err().expect("it is refused").to_string();
            assert!(refusal.contains(&format!("max_tokens is {window}")), "{refusal}");
        }
        assert!(load(3).is_ok());
    }
}
