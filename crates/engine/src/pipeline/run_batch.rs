//! What happens to one batch, from the check of its cancel flag to the durable points.
//!
//! Nothing is retried in here but a collection that somebody removed: whoever submitted the batch decides whether and
//! when it is repeated. Until the first point is written the batch can be cancelled; from then on it is completed.

use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Handle;

use super::aside::{aside, describe, tokens_of};
use super::collections::Collections;
use super::embed::{Call, Fates, embed_each};
use super::points::Writes;
use super::providers::Providers;
use super::texts::Texts;
use super::vector_space::mismatch;
use crate::batch::{Batch, BatchResult, Failure, FailureClass, Left, Spent};
use crate::provider::config::ProviderConfig;
use crate::provider::contract::{EmbeddingProvider, ProviderError, Purpose};
use crate::store::error::StoreError;

/// What batches need, shared by all of them.
pub(crate) struct Stages {
    pub(crate) providers: Arc<dyn Providers>,
    pub(crate) collections: Collections,
    /// Threads at the process's own priority. Models are loaded there: threads inherit their priority from the thread
    /// that makes them, and those that answer queries must not have that of a backfill.
    pub(crate) loader: Handle,
}

impl Stages {
    /// The provider for a configuration. A panic while it is loaded is an error like any other.
    pub(crate) async fn provider(&self, config: &ProviderConfig) -> Result<Arc<dyn EmbeddingProvider>, ProviderError> {
        let (providers, owned) = (self.providers.clone(), config.clone());
        let loading = self.loader.spawn(async move { providers.provider(&owned).await });
        loading.await.unwrap_or_else(|error| {
            Err(ProviderError::Transient(format!(
                "loading provider \"{}\": {}",
                config.name,
                describe(error)
            )))
        })
    }
}

/// Why a batch was not done.
enum Stop {
    Cancelled,
    Failed(Failure),
}

impl From<ProviderError> for Stop {
    fn from(error: ProviderError) -> Self {
        error.failure().map_or(Self::Cancelled, Self::Failed)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.failure())
    }
}

/// Embeds and stores the batch. Also a panic on the way gives a result.
pub(crate) async fn run(batch: Batch, stages: Arc<Stages>) -> (BatchResult, Spent) {
    let batch = Arc::new(batch);
    // In a task of its own, because a panic ends a task.
    let task = tokio::spawn(async move {
        let mut spent = Spent::default();
        let result = match embed_and_store(&batch, &stages, &mut spent).await {
            Ok(result) => result,
            Err(Stop::Cancelled) if batch.cancel.is_raised() => BatchResult::Cancelled,
            Err(Stop::Cancelled) => BatchResult::Failed(Failure::new(
                FailureClass::Transient,
                format!("provider \"{}\" gave up", batch.provider.name),
            )),
            Err(Stop::Failed(failure)) => BatchResult::Failed(failure),
        };
        (result, spent)
    });
    task.await.unwrap_or_else(|error| {
        let message = describe(error);
        log::error!("a batch ended early: {message}");
        (
            BatchResult::Failed(Failure::new(FailureClass::Transient, message)),
            Spent::default(),
        )
    })
}

async fn embed_and_store(batch: &Arc<Batch>, stages: &Arc<Stages>, spent: &mut Spent) -> Result<BatchResult, Stop> {
    if batch.cancel.is_raised() {
        return Err(Stop::Cancelled);
    }
    // Nothing is paid for that nobody would keep.
    stages.collections.store(batch.target.store)?;
    let (writes, failure) = if batch.records.is_empty() {
        // Changes and deletes need no provider, so they get through while it is out of order.
        let writes = Writes {
            removals: batch.deletes.clone(),
            deleted: batch.deletes.clone(),
            ..Writes::default()
        };
        (writes, None)
    } else {
        embed(batch, stages, spent).await?
    };
    if batch.cancel.is_raised() {
        return Err(Stop::Cancelled);
    }
    let Writes {
        points,
        removals,
        embedded,
        failed,
        left,
        deleted,
    } = writes;
    let left = match failure {
        Some(failure) if embedded.is_empty() && failed.is_empty() => return Err(Stop::Failed(failure)),
        Some(failure) if !left.is_empty() => Some(Left {
            record_ids: left,
            failure,
        }),
        _ => None,
    };
    let start = Instant::now();
    let written = stages
        .collections
        .write(&batch.target, points, &batch.changes, &removals, &batch.cancel)
        .await;
    spent.storing += start.elapsed();
    match written {
        // It waited for the store in vain. What was written all the same is written again by whoever goes on.
        Err(StoreError::Unavailable(_) | StoreError::Throttled { .. }) if batch.cancel.is_raised() => {
            return Err(Stop::Cancelled);
        }
        written => written?,
    }
    Ok(BatchResult::Done {
        embedded,
        failed,
        deleted,
        left,
    })
}

/// What is to be written, and why some records are left, if some are.
async fn embed(batch: &Arc<Batch>, stages: &Stages, spent: &mut Spent) -> Result<(Writes, Option<Failure>), Stop> {
    let provider = stages.provider(&batch.provider).await?;
    let collection = &batch.target.collection;
    if let Some(message) = mismatch(
        &batch.provider,
        provider.as_ref(),
        Some((&collection.name, collection.dimensions)),
    ) {
        return Err(Stop::Failed(Failure::new(FailureClass::Configuration, message)));
    }
    let texts = texts(batch, &provider).await?;
    let tokens = if batch.purse.is_limited() {
        tokens_of(&provider, texts.distinct.clone()).await?
    } else {
        Vec::new()
    };
    let call = Call {
        provider: provider.as_ref(),
        texts: &texts.distinct,
        tokens: &tokens,
        is_last: batch.last_attempt,
        purpose: if batch.is_change {
            Purpose::Change
        } else {
            Purpose::Passage
        },
        purse: &batch.purse,
        cancel: &batch.cancel,
    };
    let Fates { fates, stopped } = embed_each(&call, spent).await?;
    let failure = stopped.and_then(|error| error.failure());
    Ok((Writes::of(batch, &texts, &fates), failure))
}

/// Cuts the batch's texts, off the threads that serve others when that takes processor time.
async fn texts(batch: &Arc<Batch>, provider: &Arc<dyn EmbeddingProvider>) -> Result<Texts, Stop> {
    let chunking = batch.target.chunking;
    if chunking.is_none() {
        return Ok(Texts::of(&batch.records, None, provider.as_ref())?);
    }
    let (batch, provider) = (batch.clone(), provider.clone());
    let cut = aside("cutting", move || {
        Texts::of(&batch.records, chunking, provider.as_ref())
    });
    Ok(cut.await?)
}
