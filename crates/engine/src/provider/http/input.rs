//! Texts as they are sent: with their prefix, cut to what the model sees; and their embeddings when they come back.

use std::sync::Arc;

use super::tokenizer;
use crate::policy::cutting::estimated_tokens;
use crate::policy::sharing::share;
use crate::provider::contract::Embedding;
use vb_formats::answer::Answer;

/// Texts as they are sent.
pub(super) struct Input {
    pub(super) texts: Vec<String>,
    truncated: Vec<bool>,
    /// By the estimate that services go by.
    pub(super) tokens: usize,
}

impl Input {
    /// No service can have seen more: a token has at least a byte, and a few stand around each text.
    pub(super) fn most_tokens(&self) -> u64 {
        let bytes: usize = self.texts.iter().map(|text| text.len() + 16).sum();
        bytes as u64
    }

    /// Texts with a prefix, each cut to so many tokens. Takes processor time when some are longer.
    pub(super) fn of(texts: &[Arc<str>], prefix: &str, most: usize) -> Self {
        let mut input = Self {
            texts: Vec::with_capacity(texts.len()),
            truncated: Vec::with_capacity(texts.len()),
            tokens: 0,
        };
        for text in texts {
            let whole = format!("{prefix}{text}");
            let seen = tokenizer::beginning(&whole, most).len();
            input.truncated.push(seen < whole.len());
            let mut sent = whole;
            sent.truncate(seen);
            input.tokens += estimated_tokens(sent.len()).min(most);
            input.texts.push(sent);
        }
        input
    }

    /// The embeddings of these texts. The service says what all texts cost together: each gets its share by length.
    pub(super) fn embeddings(&self, answer: Answer, tokens: u64) -> Vec<Embedding> {
        let lengths: Vec<usize> = self.texts.iter().map(String::len).collect();
        let described = answer
            .vectors
            .into_iter()
            .zip(share(tokens, &lengths))
            .zip(&self.truncated);
        described
            .map(|((vector, tokens), truncated)| Embedding {
                vector,
                tokens: u32::try_from(tokens).unwrap_or(u32::MAX),
                truncated: *truncated,
            })
            .collect()
    }
}
