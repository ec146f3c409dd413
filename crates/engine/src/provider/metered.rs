//! Counts the calls of a provider that does not count them itself.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;

use super::contract::{EmbedRequest, Embedding, EmbeddingProvider, Limits, ProviderError};
use super::meter::{Ended, Meter};

/// A provider with a meter on it.
pub(super) struct Metered<P> {
    pub(super) provider: P,
    pub(super) meter: Arc<Meter>,
}

#[async_trait]
impl<P: EmbeddingProvider> EmbeddingProvider for Metered<P> {
    fn model(&self) -> &str {
        self.provider.model()
    }

    fn dimensions(&self) -> usize {
        self.provider.dimensions()
    }

    fn limits(&self) -> Limits {
        self.provider.limits()
    }

    async fn embed(&self, request: EmbedRequest) -> Result<Vec<Embedding>, ProviderError> {
        let call = self.meter.begin();
        let result = self.provider.embed(request).await;
        match &result {
            Ok(embeddings) => {
                let tokens = embeddings.iter().map(|embedding| u64::from(embedding.tokens)).sum();
                let texts = embeddings.len();
                call.ended(Ended::Well { texts }, tokens);
            }
            Err(ProviderError::Cancelled) => {}
            Err(error) => call.ended(Ended::Badly, error.tokens()),
        }
        result
    }

    fn token_spans(&self, text: &str) -> Result<Vec<Range<usize>>, ProviderError> {
        self.provider.token_spans(text)
    }

    fn shutdown(&self) {
        self.provider.shutdown();
    }
}
