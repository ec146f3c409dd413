//! What is done for each kind of request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::import::import;
use super::points;
use super::protocol::{Answer, CheckReport, Request, SearchHit, SearchMode, ServiceError};
use super::question::{Question, Questions};
use super::search::{Asked, search};
use crate::batch::{FailureClass, Origin};
use crate::cancel::CancelFlag;
use crate::pipeline::aside::aside;
use crate::pipeline::embed::embed_checked;
use crate::pipeline::run_batch::Stages;
use crate::pipeline::vector_space::mismatch;
use crate::provider::config::ProviderConfig;
use crate::provider::contract::{EmbedRequest, EmbeddingProvider, ProviderError, Purpose};
use crate::store::contract::VectorStore;
use crate::store::error::StoreError;
use crate::store::place::Place;

/// The most hits of one search: with 500 characters each they fit into a frame.
const MAX_HITS: usize = 5_000;

/// The most points of one page.
const MAX_PAGE: usize = 100_000;

/// What a provider embeds when it is checked.
const CHECK_TEXT: &str = "one real call";

/// Answers requests with the providers and the store that the batches use.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) stages: Arc<Stages>,
    pub(crate) questions: Arc<Questions>,
    /// The longest a request may take.
    pub(crate) request_timeout: Duration,
}

/// Raises its flag when the work it stands for ended or nobody waits for it any more.
struct RaiseOnDrop(CancelFlag);

impl Drop for RaiseOnDrop {
    fn drop(&mut self) {
        self.0.raise();
    }
}

impl Service {
    /// The answer to a request, within the longest time it may take.
    pub(super) async fn answer(&self, request: Request) -> Result<Answer, ServiceError> {
        let guard = RaiseOnDrop(CancelFlag::default());
        let limit = self.request_timeout;
        timeout(limit, self.answer_untimed(request, &guard.0))
            .await
            .unwrap_or_else(|_| {
                let message = format!("no answer within {} s", limit.as_secs_f64());
                Err(ServiceError {
                    class: FailureClass::Transient,
                    origin: Origin::Other,
                    message,
                })
            })
    }

    async fn answer_untimed(&self, request: Request, cancel: &CancelFlag) -> Result<Answer, ServiceError> {
        let collections = &self.stages.collections;
        match request {
            Request::Ping => Ok(Answer::Pong),
            Request::Embed {
                provider,
                texts,
                purpose,
            } => {
                let provider = self.provider(&provider, None).await?;
                embed(provider.as_ref(), texts, purpose, cancel)
                    .await
                    .map(Answer::Embeddings)
            }
            Request::Search {
                provider,
                payer,
                question,
                place,
                dimensions,
                query,
                limit,
                mode,
                conditions,
            } => {
                within(limit, MAX_HITS)?;
                let vector = match (mode, provider) {
                    (SearchMode::Keyword, _) => Vec::new(),
                    (SearchMode::Dense | SearchMode::Hybrid, Some(provider)) => {
                        let space = dimensions.map(|dimensions| (place.share.collection.as_str(), dimensions));
                        not_empty(&query)?;
                        let question = Question {
                            id: question,
                            text: &query,
                            payer: payer.as_deref(),
                            provider_name: &provider.name,
                            provider: &self.provider(&provider, space).await?,
                        };
                        self.questions.embed(&question, cancel).await?
                    }
                    (SearchMode::Dense | SearchMode::Hybrid, None) => {
                        return Err(at_fault("a search by meaning needs a provider".to_owned()));
                    }
                };
                let found = search(Asked {
                    store: self.store(&place)?,
                    share: &place.share,
                    text: &query,
                    vector,
                    mode,
                    conditions,
                    limit,
                });
                let hits = present(found.await)?.unwrap_or_default();
                let hits = hits.into_iter().map(|hit| SearchHit {
                    score: hit.score,
                    record_id: hit.payload.record_id,
                    chunk_no: hit.payload.chunk_no,
                    text_content: hit.payload.text_content,
                });
                Ok(Answer::Hits(hits.collect()))
            }
            Request::Check { provider } => Ok(Answer::Check(self.check(&provider, cancel).await)),
            Request::CountTokens { provider, texts } => {
                let provider = self.provider(&provider, None).await?;
                let window = provider.limits().max_tokens;
                let counting = aside("counting tokens", move || {
                    let count = |text: &String| provider.token_spans(text).map(|spans| spans.len());
                    texts.iter().map(count).collect::<Result<Vec<usize>, ProviderError>>()
                });
                let counts = counting.await?;
                Ok(Answer::Tokens { counts, window })
            }
            Request::Count { place } => Ok(Answer::Count(
                present(self.store(&place)?.count(&place.share).await)?.unwrap_or_default(),
            )),
            Request::Points { place, after, limit } => {
                within(limit, MAX_PAGE)?;
                points::points(collections, &place, after, limit).await
            }
            Request::Import {
                target,
                provider,
                model,
                records,
                present_points,
            } => import(collections, &target, (&provider, &model), records, present_points).await,
            Request::Delete { place, keys } => points::delete(collections, &place, keys).await,
            Request::Finish { place, alias } => points::finish(collections, &place, alias).await,
            Request::Remove { place } => points::remove(collections, &place).await,
            Request::Copy {
                from,
                to,
                dimensions,
                fields,
                exact,
                after,
                limit,
            } => {
                within(limit, MAX_PAGE)?;
                points::copy(collections, (&from, &to), (dimensions, fields), exact, (after, limit)).await
            }
        }
    }

    fn store(&self, place: &Place) -> Result<&dyn VectorStore, ServiceError> {
        Ok(self.stages.collections.store(place.store)?.as_ref())
    }

    async fn provider(
        &self,
        config: &ProviderConfig,
        collection: Option<(&str, usize)>,
    ) -> Result<Arc<dyn EmbeddingProvider>, ServiceError> {
        let provider = self.stages.provider(config).await?;
        match mismatch(config, provider.as_ref(), collection) {
            None => Ok(provider),
            Some(message) => Err(ServiceError {
                class: FailureClass::Configuration,
                origin: Origin::Provider,
                message,
            }),
        }
    }

    async fn check(&self, config: &ProviderConfig, cancel: &CancelFlag) -> CheckReport {
        let failed = |detail| CheckReport {
            ok: false,
            latency_ms: 0.0,
            dimensions: None,
            detail,
        };
        let provider = match self.stages.provider(config).await {
            Ok(provider) => provider,
            Err(error) => return failed(error.to_string()),
        };
        let start = Instant::now();
        let result = embed(provider.as_ref(), vec![CHECK_TEXT.to_owned()], Purpose::Query, cancel).await;
        let latency_ms = start.elapsed().as_secs_f64() * 1_000.0;
        let dimensions = provider.dimensions();
        let expected = config.dimensions.filter(|expected| *expected != dimensions);
        let fault = result
            .err()
            .map(|error| error.message)
            .or_else(|| mismatch(config, provider.as_ref(), None));
        let fault = fault.or_else(|| {
            expected.map(|expected| format!("{expected} dimensions were expected, but the model makes {dimensions}"))
        });
        CheckReport {
            ok: fault.is_none(),
            latency_ms,
            dimensions: Some(dimensions),
            detail: fault.unwrap_or_else(|| {
                let window = provider.limits().max_tokens;
                format!(
                    "model \"{}\": {dimensions} dimensions, {window} tokens of a text",
                    provider.model()
                )
            }),
        }
    }
}

/// Embeds texts of a request, in calls as large as the provider takes.
async fn embed(
    provider: &dyn EmbeddingProvider,
    texts: Vec<String>,
    purpose: Purpose,
    cancel: &CancelFlag,
) -> Result<Vec<Vec<f32>>, ServiceError> {
    texts.iter().try_for_each(|text| not_empty(text))?;
    let texts: Vec<Arc<str>> = texts.into_iter().map(Arc::from).collect();
    let mut vectors = Vec::with_capacity(texts.len());
    for texts in texts.chunks(provider.limits().max_texts.max(1)) {
        let request = EmbedRequest {
            texts: texts.to_vec(),
            purpose,
            cancel: cancel.clone(),
        };
        vectors.extend(
            embed_checked(provider, request)
                .await?
                .into_iter()
                .map(|embedding| embedding.vector),
        );
    }
    Ok(vectors)
}

/// What the store gave; `None` when the collection does not exist, which is where nothing was stored yet.
fn present<T>(result: Result<T, StoreError>) -> Result<Option<T>, ServiceError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(StoreError::NoCollection(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn within(limit: usize, most: usize) -> Result<(), ServiceError> {
    if limit > most {
        Err(at_fault(format!("a limit of {limit} is more than {most}")))
    } else {
        Ok(())
    }
}

fn not_empty(text: &str) -> Result<(), ServiceError> {
    if text.is_empty() {
        return Err(at_fault("an empty text has no embedding".to_owned()));
    }
    Ok(())
}

fn at_fault(message: String) -> ServiceError {
    ServiceError {
        class: FailureClass::Record,
        origin: Origin::Other,
        message,
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        let failure = error.failure();
        // Whoever asks does not wait for a store that is away.
        let class = match error {
            StoreError::Unavailable(_) => FailureClass::Transient,
            _ => failure.class,
        };
        Self {
            class,
            origin: failure.origin,
            message: failure.message,
        }
    }
}

impl From<ProviderError> for ServiceError {
    fn from(error: ProviderError) -> Self {
        match error.failure() {
            Some(failure) => Self {
                class: failure.class,
                origin: failure.origin,
                message: failure.message,
            },
            None => Self {
                class: FailureClass::Transient,
                origin: Origin::Provider,
                message: error.to_string(),
            },
        }
    }
}
