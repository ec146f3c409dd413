//! Gets embeddings from a provider: requests as large as it takes, some at the same time, answers checked. What a request
//! fails for is not repeated here; what it got is kept.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use futures_util::stream::{self, StreamExt};

use super::bisect::{Bisection, Part};
use crate::batch::{FailureClass, Spent};
use crate::budget::Exceeded;
use crate::cancel::CancelFlag;
use crate::policy::cutting::{RequestLimits, TextSize, cut, estimated_tokens};
use crate::provider::contract::{EmbedRequest, Embedding, EmbeddingProvider, PLAIN_TEXT, ProviderError, Purpose};
use crate::purse::{Purse, Reservation};

/// Tokens of the plain text, special ones included.
const PLAIN_TEXT_TOKENS: u64 = 4;

/// What became of one text.
#[derive(Debug, Clone)]
pub(super) enum Fate {
    /// It has an embedding.
    Embedded(Embedding),
    /// The text is at fault.
    Refused {
        /// Whether it was refused, or fails again and again.
        class: FailureClass,
        /// What the provider said, for people.
        message: String,
    },
    /// Nothing is known of it.
    Left,
}

/// What became of the texts of a batch.
#[derive(Debug)]
pub(super) struct Fates {
    /// For each text, in order.
    pub(super) fates: Vec<Fate>,
    /// Why some are left, if some are.
    pub(super) stopped: Option<ProviderError>,
}

/// What the requests of a batch have in common.
pub(super) struct Call<'a> {
    /// Who embeds.
    pub(super) provider: &'a dyn EmbeddingProvider,
    /// The texts of the batch.
    pub(super) texts: &'a [Arc<str>],
    /// Tokens of each, as far as the model sees it; empty when nobody has to know.
    pub(super) tokens: &'a [usize],
    /// Whether texts that fail in a way that may pass are treated as refused, provided that others do not fail.
    pub(super) is_last: bool,
    /// Whether they may wait.
    pub(super) purpose: Purpose,
    /// Pays for the requests.
    pub(super) purse: &'a Purse,
    /// Raised when nobody wants them any more.
    pub(super) cancel: &'a CancelFlag,
}

/// Embeds the texts. An error only when the work was cancelled.
pub(super) async fn embed_each(call: &Call<'_>, spent: &mut Spent) -> Result<Fates, ProviderError> {
    let start = Instant::now();
    let Call { provider, texts, .. } = *call;
    let limits = provider.limits();
    let requests = requests(provider, texts);
    // Once the provider cannot be used or wants to be left alone, nothing more is sent; what is under way comes back.
    let hopeless = CancelFlag::default();
    let parts = stream::iter(requests)
        .map(|range| {
            let hopeless = hopeless.clone();
            async move {
                if hopeless.is_raised() {
                    return Progress::default();
                }
                let progress = call.embed(range).await;
                if progress.stopped.as_ref().is_some_and(is_hopeless) {
                    hopeless.raise();
                }
                progress
            }
        })
        .buffer_unordered(limits.parallel_requests.max(1));
    let parts: Vec<Progress> = parts.collect().await;

    let mut fates = vec![Fate::Left; texts.len()];
    let mut stopped: Option<ProviderError> = None;
    for part in parts {
        spent.tokens += part.tokens;
        for (position, fate) in part.fates {
            fates[position] = fate;
        }
        stopped = match (stopped, part.stopped) {
            (Some(first), Some(other)) if gravity(&other) > gravity(&first) => Some(other),
            (None, other) => other,
            (first, _) => first,
        };
    }
    spent.embedding += start.elapsed();
    match stopped {
        Some(ProviderError::Cancelled) => Err(ProviderError::Cancelled),
        stopped => Ok(Fates { fates, stopped }),
    }
}

/// Ranges of texts, each of which the provider takes in one request.
fn requests(provider: &dyn EmbeddingProvider, texts: &[Arc<str>]) -> Vec<Range<usize>> {
    let limits = provider.limits();
    let sizes: Vec<TextSize> = texts
        .iter()
        .map(|text| TextSize {
            tokens: estimated_tokens(text.len()).min(limits.max_tokens),
            bytes: text.len(),
        })
        .collect();
    let limits = RequestLimits {
        texts: limits.max_texts.max(1),
        tokens: limits.max_request_tokens,
        bytes: limits.max_request_bytes,
    };
    cut(&sizes, limits)
}

/// Whether other requests of the same batch have no better chance.
fn is_hopeless(error: &ProviderError) -> bool {
    gravity(error) > gravity(&ProviderError::Transient(String::new()))
}

/// Which of several errors says most about what to do.
fn gravity(error: &ProviderError) -> u8 {
    match error.class() {
        None => 3,
        Some(FailureClass::Configuration) => 2,
        Some(FailureClass::Throttled) => 1,
        Some(FailureClass::Transient | FailureClass::Record) => 0,
    }
}

/// What one request, with its halves if it was refused, came to.
#[derive(Default)]
struct Progress {
    fates: Vec<(usize, Fate)>,
    tokens: u64,
    stopped: Option<ProviderError>,
}

impl Call<'_> {
    /// As many of the texts as may be paid for.
    async fn embed(&self, range: Range<usize>) -> Progress {
        let affordable = range.start + self.affordable(range.clone());
        let mut progress = self.embed_all(range.start..affordable).await;
        if affordable < range.end && progress.stopped.is_none() {
            progress.stopped = Some(self.unaffordable(affordable));
        }
        progress
    }

    fn affordable(&self, range: Range<usize>) -> usize {
        match self.tokens.get(range.clone()) {
            Some(tokens) => self.purse.affordable(tokens),
            None => range.len(),
        }
    }

    /// Why this text was not sent.
    fn unaffordable(&self, position: usize) -> ProviderError {
        match self.reserve(position..position + 1) {
            Err(error) => error,
            // There is room by now: whoever repeats the rest finds it.
            Ok(_) => ProviderError::Unaffordable(Exceeded {
                message: "a limit might have been exceeded by requests under way".to_owned(),
                is_certain: false,
                renewed_in: None,
            }),
        }
    }

    fn reserve(&self, range: Range<usize>) -> Result<Reservation<'_>, ProviderError> {
        let tokens = match self.tokens.get(range.clone()) {
            Some(tokens) => tokens.iter().map(|tokens| *tokens as u64).sum(),
            None => 0,
        };
        self.purse.reserve(tokens).map_err(ProviderError::Unaffordable)
    }

    async fn embed_all(&self, range: Range<usize>) -> Progress {
        let mut progress = Progress::default();
        let mut bisection = Bisection::new(range);
        // When the provider last showed that it works.
        let mut worked: Option<Instant> = None;
        while let Some(Part { range, suspected }) = bisection.next() {
            let texts = self.texts[range.clone()].to_vec();
            let asked = match self.reserve(range.clone()) {
                Ok(reservation) => self.ask(texts, reservation, &mut progress).await,
                Err(error) => Err(error),
            };
            let error = match asked {
                Ok(embeddings) => {
                    worked = Some(Instant::now());
                    let fates = embeddings.into_iter().map(Fate::Embedded);
                    progress.fates.extend(range.zip(fates));
                    continue;
                }
                Err(error) => error,
            };
            let class = match error.class() {
                Some(class @ FailureClass::Record) => class,
                Some(class @ FailureClass::Transient) if self.is_last => class,
                _ => {
                    progress.stopped = Some(error);
                    return progress;
                }
            };
            let Some(alone) = bisection.refused(range, Instant::now()) else {
                continue;
            };
            let is_proved = suspected.is_some_and(|since| worked.is_some_and(|moment| moment > since));
            if !is_proved {
                if let Err(error) = self.prove(&mut progress).await {
                    progress.stopped = Some(error);
                    return progress;
                }
                worked = Some(Instant::now());
            }
            let message = error.to_string();
            progress.fates.push((alone, Fate::Refused { class, message }));
        }
        progress
    }

    /// Before a record is blamed: a provider that fails for a plain text too is at fault itself, and blaming the records
    /// would set all of them aside, one after the other.
    async fn prove(&self, progress: &mut Progress) -> Result<(), ProviderError> {
        let reservation = self
            .purse
            .reserve(PLAIN_TEXT_TOKENS)
            .map_err(ProviderError::Unaffordable)?;
        let Err(error) = self.ask(vec![Arc::from(PLAIN_TEXT)], reservation, progress).await else {
            return Ok(());
        };
        Err(match error.class() {
            Some(FailureClass::Record) => ProviderError::Configuration(format!(
                "model \"{}\" refuses every text, also \"{PLAIN_TEXT}\": {error}",
                self.provider.model()
            )),
            // It is not the records' last attempt that failed, but the provider.
            Some(FailureClass::Transient) if self.is_last => ProviderError::Throttled {
                message: error.to_string(),
                retry_after: None,
            },
            _ => error,
        })
    }

    /// [`embed_checked`], with what it cost added up.
    async fn ask(
        &self,
        texts: Vec<Arc<str>>,
        reservation: Reservation<'_>,
        progress: &mut Progress,
    ) -> Result<Vec<Embedding>, ProviderError> {
        let request = EmbedRequest {
            texts,
            purpose: self.purpose,
            cancel: self.cancel.clone(),
        };
        let result = embed_checked(self.provider, request).await;
        let tokens = tokens_spent(&result);
        if tokens > 0 {
            reservation.spend(tokens);
        }
        progress.tokens += tokens;
        result
    }
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

/// Tokens that a request took.
pub(crate) fn tokens_spent(result: &Result<Vec<Embedding>, ProviderError>) -> u64 {
    match result {
        Ok(embeddings) => embeddings.iter().map(|embedding| u64::from(embedding.tokens)).sum(),
        Err(error) => error.tokens(),
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
