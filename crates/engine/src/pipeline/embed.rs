//! Gets embeddings from a provider: requests as large as it takes, refused texts found by halving, answers checked.

use std::sync::Arc;
use std::time::Instant;

use super::bisect::Bisection;
use crate::batch::Spent;
use crate::cancel::CancelFlag;
use crate::provider::contract::{EmbedRequest, Embedding, EmbeddingProvider, ProviderError, Purpose};

/// A text that no provider has a reason to refuse.
const PLAIN_TEXT: &str = "hello";

/// For each text its embedding, or why the provider refused it. An error says that all of them failed.
pub(super) async fn embed_each(
    provider: &dyn EmbeddingProvider,
    texts: &[Arc<str>],
    cancel: &CancelFlag,
    spent: &mut Spent,
) -> Result<Vec<Result<Embedding, String>>, ProviderError> {
    let mut results: Vec<Option<Result<Embedding, String>>> = texts.iter().map(|_| None).collect();
    let mut bisection = Bisection::new(texts.len(), provider.limits().max_texts);
    let mut works = false;
    while let Some(range) = bisection.next() {
        let request = EmbedRequest {
            texts: texts[range.clone()].to_vec(),
            purpose: Purpose::Passage,
            cancel: cancel.clone(),
        };
        match timed(provider, request, spent).await {
            Ok(embeddings) => {
                works = true;
                for (result, embedding) in results[range].iter_mut().zip(embeddings) {
                    *result = Some(Ok(embedding));
                }
            }
            Err(ProviderError::Record(message)) => {
                let Some(alone) = bisection.refused(range) else {
                    continue;
                };
                if !works {
                    refuses_everything(provider, cancel, spent).await?;
                    works = true;
                }
                results[alone] = Some(Err(message));
            }
            Err(error) => return Err(error),
        }
    }
    // The bisection gives every position, so none is left open; if one were, its record must not count as embedded.
    Ok(results
        .into_iter()
        .map(|result| result.unwrap_or_else(|| Err("was not embedded".to_owned())))
        .collect())
}

/// Before the first record is blamed: a provider that refuses a plain text too is at fault itself, and blaming the
/// records would set all of them aside, one after the other.
async fn refuses_everything(
    provider: &dyn EmbeddingProvider,
    cancel: &CancelFlag,
    spent: &mut Spent,
) -> Result<(), ProviderError> {
    let request = EmbedRequest {
        texts: vec![Arc::from(PLAIN_TEXT)],
        purpose: Purpose::Passage,
        cancel: cancel.clone(),
    };
    match timed(provider, request, spent).await {
        Ok(_) => Ok(()),
        Err(ProviderError::Record(message)) => Err(ProviderError::Configuration(format!(
            "model \"{}\" refuses every text, also \"{PLAIN_TEXT}\": {message}",
            provider.model()
        ))),
        Err(error) => Err(error),
    }
}

/// [`embed_checked`], with what it cost added to `spent`.
async fn timed(
    provider: &dyn EmbeddingProvider,
    request: EmbedRequest,
    spent: &mut Spent,
) -> Result<Vec<Embedding>, ProviderError> {
    let start = Instant::now();
    let result = embed_checked(provider, request).await;
    spent.embedding += start.elapsed();
    if let Ok(embeddings) = &result {
        spent.tokens += embeddings
            .iter()
            .map(|embedding| u64::from(embedding.tokens))
            .sum::<u64>();
    }
    result
}

/// One request, unless it is cancelled already. An answer that breaks the provider's contract becomes a transient error:
/// nothing of it may reach the store.
pub(crate) async fn embed_checked(
    provider: &dyn EmbeddingProvider,
    request: EmbedRequest,
) -> Result<Vec<Embedding>, ProviderError> {
    if request.cancel.is_raised() {
        return Err(ProviderError::Cancelled);
    }
    let wanted = request.texts.len();
    let embeddings = provider.embed(request).await?;
    match fault(&embeddings, wanted, provider.dimensions()) {
        None => Ok(embeddings),
        Some(fault) => Err(ProviderError::Transient(format!(
            "model \"{}\" answered with {fault}",
            provider.model()
        ))),
    }
}

/// What is wrong with an answer; `None` when nothing is.
fn fault(embeddings: &[Embedding], wanted: usize, dimensions: usize) -> Option<String> {
    if embeddings.len() != wanted {
        return Some(format!("{} embeddings for {wanted} texts", embeddings.len()));
    }
    embeddings.iter().find_map(|Embedding { vector, .. }| {
        if vector.len() != dimensions {
            Some(format!(
                "{} numbers in an embedding instead of {dimensions}",
                vector.len()
            ))
        } else if vector.iter().any(|number| !number.is_finite()) {
            Some("a number that is not finite".to_owned())
        } else {
            None
        }
    })
}
