//! Cutting texts and counting their tokens: work that goes to threads of its own.

use std::sync::Arc;

use tokio::task::JoinError;

use crate::provider::contract::{EmbeddingProvider, ProviderError};

/// Tokens of each text as far as the model sees it, special ones included.
pub(crate) async fn tokens_of(
    provider: &Arc<dyn EmbeddingProvider>,
    texts: Vec<Arc<str>>,
) -> Result<Vec<usize>, ProviderError> {
    let provider = provider.clone();
    aside("counting tokens", move || {
        let limits = provider.limits();
        let count = |text: &Arc<str>| match provider.token_spans(text) {
            Ok(spans) => Ok(spans.len().min(limits.max_tokens) + limits.added_tokens),
            // The provider will say so itself, of this text alone.
            Err(ProviderError::Record(_)) => Ok(0),
            Err(error) => Err(error),
        };
        texts.iter().map(count).collect()
    })
    .await
}

/// Runs what takes processor time off the threads that serve others.
pub(crate) async fn aside<T: Send + 'static>(
    what: &str,
    work: impl FnOnce() -> Result<T, ProviderError> + Send + 'static,
) -> Result<T, ProviderError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(ProviderError::Transient(format!("{what}: {}", describe(error)))))
}

/// Why a task gave no result.
pub(crate) fn describe(error: JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else {
        return "the engine is shutting down".to_owned();
    };
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    format!("internal error: {}", message.unwrap_or("panic without a message"))
}
