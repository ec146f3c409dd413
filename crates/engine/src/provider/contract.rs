//! The seam between the pipeline and whoever makes embeddings.
//!
//! A provider may be called from many tasks at once. Calls have no side effect that matters, so any call may be repeated.
//! The answer has one embedding for each text, in the order of the texts, each of `dimensions` finite numbers with
//! length one.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::batch::{Failure, FailureClass, Origin};
use crate::budget::Exceeded;
use crate::cancel::CancelFlag;

/// Makes embeddings of texts.
#[async_trait]
pub trait EmbeddingProvider: Send + Sync {
    /// Name of the model: two providers with the same model and dimensions share a vector space.
    fn model(&self) -> &str;

    /// Numbers in one embedding.
    fn dimensions(&self) -> usize;

    /// What one request may hold.
    fn limits(&self) -> Limits;

    /// Embeds the texts. Text beyond the model's window is left out and reported as truncated.
    async fn embed(&self, request: EmbedRequest) -> Result<Vec<Embedding>, ProviderError>;

    /// Byte ranges of the text's tokens in order, without special tokens and however long the text is. Takes processor
    /// time: never called on a thread that serves others.
    fn token_spans(&self, text: &str) -> Result<Vec<Range<usize>>, ProviderError>;

    /// Ends what the provider runs in the background and waits for it, usually a fraction of a second; may be repeated.
    /// Calls to [`Self::embed`] under way and later ones return [`ProviderError::Cancelled`]. Blocks: never called on a
    /// thread that serves others.
    fn shutdown(&self) {}
}

/// A text that no provider has a reason to refuse.
pub const PLAIN_TEXT: &str = "hello";

/// What one request may hold.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Texts in a request.
    pub max_texts: usize,
    /// Tokens of one text that the model sees, without special tokens.
    pub max_tokens: usize,
    /// Tokens that a text has besides its own, at most: special ones, and those of a prefix.
    pub added_tokens: usize,
    /// Tokens of all texts of a request, as [`estimated_tokens`](crate::policy::cutting::estimated_tokens) counts them.
    pub max_request_tokens: usize,
    /// Bytes of all texts of a request.
    pub max_request_bytes: usize,
    /// Requests of one batch that are worth sending at the same time, at least 1.
    pub parallel_requests: usize,
}

/// Texts to embed together.
#[derive(Debug, Clone)]
pub struct EmbedRequest {
    /// The texts, none empty.
    pub texts: Vec<Arc<str>>,
    /// What the embeddings are for.
    pub purpose: Purpose,
    /// Raised when nobody wants the answer any more; the provider then gives up soon with [`ProviderError::Cancelled`].
    pub cancel: CancelFlag,
}

/// What embeddings are for: some models want a prefix; queries go before changes, and these before other passages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Stored and searched for; can wait.
    Passage,
    /// The same, of a row that has changed: searches should find soon what it says now.
    Change,
    /// Somebody is waiting for it.
    Query,
}

/// One embedding.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// `dimensions` finite numbers, length one.
    pub vector: Vec<f32>,
    /// Tokens the model saw, special tokens included.
    pub tokens: u32,
    /// Whether text beyond the model's window was left out.
    pub truncated: bool,
}

/// Why a provider gave no embeddings.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProviderError {
    /// The request's cancel flag was raised.
    #[error("cancelled")]
    Cancelled,
    /// The provider is not usable as configured: a file is missing, a model does not fit.
    #[error("{0}")]
    Configuration(String),
    /// The provider wants to be left alone for a while: it is asked too often, or out of order.
    #[error("{message}")]
    Throttled {
        /// What it said, for people.
        message: String,
        /// How long it wants to be left alone, where that is known.
        retry_after: Option<Duration>,
    },
    /// The request may succeed when repeated.
    #[error("{0}")]
    Transient(String),
    /// The texts themselves were refused.
    #[error("{0}")]
    Record(String),
    /// It would cost more than may be spent. Never from a provider itself.
    #[error("{}", .0.message)]
    Unaffordable(Exceeded),
    /// There was an answer, which costs as any other, but it is none to believe.
    #[error("{message}")]
    Unusable {
        /// What it means.
        class: FailureClass,
        /// What is wrong with it, for people.
        message: String,
        /// Tokens that it cost.
        tokens: u64,
    },
}

impl ProviderError {
    /// What the error means; `None` when the work was cancelled.
    pub fn class(&self) -> Option<FailureClass> {
        match self {
            Self::Cancelled => None,
            Self::Unaffordable(exceeded) if !exceeded.is_certain => Some(FailureClass::Throttled),
            Self::Configuration(_) | Self::Unaffordable(_) => Some(FailureClass::Configuration),
            Self::Throttled { .. } => Some(FailureClass::Throttled),
            Self::Transient(_) => Some(FailureClass::Transient),
            Self::Record(_) => Some(FailureClass::Record),
            Self::Unusable { class, .. } => Some(*class),
        }
    }

    /// Tokens that were spent in vain.
    pub fn tokens(&self) -> u64 {
        match self {
            Self::Unusable { tokens, .. } => *tokens,
            _ => 0,
        }
    }

    /// The consequence of this error; `None` when the work was cancelled.
    pub fn failure(&self) -> Option<Failure> {
        Some(Failure {
            class: self.class()?,
            message: self.to_string(),
            retry_after: match self {
                Self::Throttled { retry_after, .. } => *retry_after,
                Self::Unaffordable(exceeded) if exceeded.is_certain => exceeded.renewed_in,
                _ => None,
            },
            origin: match self {
                Self::Unaffordable(_) => Origin::Budget,
                _ => Origin::Provider,
            },
        })
    }
}
