//! One embedding service over HTTP as an [`EmbeddingProvider`].

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use parking_lot::Mutex;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;
use vb_formats::answer::{Answer, longest, parse};
use vb_formats::rate_headers::{self, RateHeaders};
use vb_formats::secret_ref::SecretRef;

use super::answer::{self, ReadError};
use super::client::Clients;
use super::dialect::{self, REQUEST_BYTES};
use super::failed::Failed;
use super::input::Input;
use super::{body, headers, models, tokenizer};
use crate::batch::FailureClass;
use crate::cancel::CancelFlag;
use crate::policy::verdict::{Fault, verdict};
use crate::provider::config::{HttpConfig, ProviderConfig};
use crate::provider::contract::{
    EmbedRequest, Embedding, EmbeddingProvider, Limits, PLAIN_TEXT, ProviderError, Purpose,
};
use crate::provider::gate::{Admission, Gate};
use crate::provider::meter::{Ended, Meter};
use crate::provider::options::EncodingFormat;
use crate::provider::secret;

/// How long a call waits for its turn in memory before it is sent away: somebody may wait for a query, and what only
/// backfills should not keep others from their turn.
const QUERY_PATIENCE: Duration = Duration::from_secs(30);
const PASSAGE_PATIENCE: Duration = Duration::from_secs(5);

/// Requests of one batch at the same time; how many there are of all batches is for the gate to say.
const PARALLEL_REQUESTS: usize = 8;

/// Bytes of all requests and answers under way together, and of the units in which they are counted.
pub(in crate::provider) const BYTES_UNDER_WAY: usize = 64 * 1024 * 1024;
pub(in crate::provider) const ROOM_UNIT: usize = 1024;

/// Bytes of a number in an answer, as most services write it, and once it is taken apart.
const BYTES_OF_NUMBER: usize = 10;

/// Bytes of a refusal that are read.
const REFUSAL_BYTES: usize = 16 * 1024;

/// What providers share.
pub(in crate::provider) struct Common {
    pub(in crate::provider) gate: Arc<Gate>,
    pub(in crate::provider) meter: Arc<Meter>,
    /// In units of [`ROOM_UNIT`].
    pub(in crate::provider) room: Arc<Semaphore>,
}

/// An embedding service over HTTP.
pub struct HttpProvider {
    name: String,
    model: String,
    http: HttpConfig,
    url: Url,
    /// Filled before the provider is used.
    dimensions: OnceLock<usize>,
    /// What goes into the request.
    sent_dimensions: Option<usize>,
    limits: Limits,
    /// Tokens of a text with its prefix.
    window: usize,
    timeout: Duration,
    passages: Client,
    queries: Client,
    common: Common,
    /// Headers with secrets; read again after they were refused.
    secrets: Mutex<Option<Arc<Secrets>>>,
    /// The service does not know base64.
    wants_decimals: AtomicBool,
    stopped: CancelFlag,
}

struct Secrets {
    headers: HeaderMap,
    /// All that were read, so that they can be taken out of what a service says.
    values: Vec<SecretString>,
}

impl HttpProvider {
    /// Prepares everything but asks nobody.
    pub(in crate::provider) fn new(
        config: &ProviderConfig,
        http: &HttpConfig,
        clients: &Clients,
        common: Common,
    ) -> Result<Self, ProviderError> {
        let wrong = |what: String| ProviderError::Configuration(format!("provider \"{}\": {what}", config.name));
        dialect::check(config).map_err(wrong)?;
        let url = dialect::url(http, &config.model).map_err(wrong)?;
        let options = &http.options;
        let client = |purpose| {
            clients
                .get(options.local, options.ca_file.as_deref(), purpose)
                .map_err(wrong)
        };
        let known = models::known(&config.model);
        let sends_dimensions = options
            .send_dimensions
            .unwrap_or_else(|| known.is_some_and(|known| known.can_shorten));
        let by_dialect = http.dialect.limits();
        let window = config.max_tokens.unwrap_or(by_dialect.tokens);
        let prefixes = [&options.query_prefix, &options.passage_prefix];
        let longest_prefix = prefixes.map(|prefix| tokenizer::spans(prefix).len()).into_iter().max();
        let longest_prefix = longest_prefix.unwrap_or(0);
        let limits = Limits {
            max_texts: http.max_texts.unwrap_or(by_dialect.texts).max(1),
            // Chunks are cut to this; the prefix goes before them.
            max_tokens: window.saturating_sub(longest_prefix).max(1),
            added_tokens: longest_prefix,
            max_request_tokens: http.max_request_tokens.unwrap_or(by_dialect.request_tokens),
            max_request_bytes: REQUEST_BYTES,
            parallel_requests: PARALLEL_REQUESTS,
        };
        let dimensions = OnceLock::new();
        if let Some(number) = config.dimensions.or(known.map(|known| known.dimensions)) {
            let _ = dimensions.set(number);
        }
        Ok(Self {
            name: config.name.clone(),
            model: config.model.clone(),
            http: http.clone(),
            url,
            dimensions,
            sent_dimensions: config.dimensions.filter(|_| sends_dimensions),
            limits,
            window,
            timeout: Duration::from_millis(options.timeout_ms.unwrap_or(http.timeout_ms)),
            passages: client(Purpose::Passage)?,
            queries: client(Purpose::Query)?,
            common,
            secrets: Mutex::new(None),
            wants_decimals: AtomicBool::new(options.encoding_format == EncodingFormat::Float),
            stopped: CancelFlag::default(),
        })
    }

    /// Asks the service how long its embeddings are, unless that is known.
    pub(in crate::provider) async fn learn_dimensions(&self) -> Result<(), ProviderError> {
        if self.dimensions.get().is_some() {
            return Ok(());
        }
        let input = self.plain_input(Purpose::Query);
        let embeddings = self.send(&input, Purpose::Query).await?;
        let length = embeddings.first().map_or(0, |embedding| embedding.vector.len());
        let _ = self.dimensions.set(length);
        Ok(())
    }

    async fn embed_now(&self, request: &EmbedRequest) -> Result<Vec<Embedding>, ProviderError> {
        let input = self.input(&request.texts, request.purpose).await?;
        self.send(&input, request.purpose).await
    }

    /// Sends the texts when it is their turn.
    async fn send(&self, input: &Input, purpose: Purpose) -> Result<Vec<Embedding>, ProviderError> {
        let mut admission = self.admit(input, purpose).await?;
        while admission.is_probe() {
            match self.call(admission, &self.plain_input(purpose), purpose).await {
                Ok(_) => {}
                // It answers; what it says to the texts themselves will be seen.
                Err(failed) if verdict(failed.fault) == FailureClass::Record => {}
                Err(failed) => return Err(self.out_of_order(failed)),
            }
            admission = self.admit(input, purpose).await?;
        }
        match self.call(admission, input, purpose).await {
            Ok(embeddings) => Ok(embeddings),
            Err(failed) if failed.is_about_encoding => {
                if !self.wants_decimals.swap(true, Ordering::Relaxed) {
                    log::info!(
                        "provider \"{}\" does not know base64, numbers are asked for as decimals",
                        self.name
                    );
                }
                let admission = self.admit(input, purpose).await?;
                let again = self.call(admission, input, purpose).await;
                again.map_err(|failed| failed.into_error(input.tokens))
            }
            Err(failed) => Err(failed.into_error(input.tokens)),
        }
    }

    async fn admit(&self, input: &Input, purpose: Purpose) -> Result<Admission, ProviderError> {
        let patience = match purpose {
            Purpose::Passage | Purpose::Change => PASSAGE_PATIENCE,
            Purpose::Query => QUERY_PATIENCE,
        };
        let admission = self.common.gate.admit(input.tokens, purpose, patience).await;
        admission.map_err(|busy| ProviderError::Throttled {
            message: format!("provider \"{}\" has to wait: {}", self.name, busy.reason),
            retry_after: Some(busy.wait),
        })
    }

    /// One call, of which gate and meter are told.
    async fn call(&self, admission: Admission, input: &Input, purpose: Purpose) -> Result<Vec<Embedding>, Failed> {
        let size = input.texts.iter().map(String::len).sum::<usize>()
            + input.texts.len() * self.dimensions() * BYTES_OF_NUMBER;
        let units = (size.min(BYTES_UNDER_WAY) / ROOM_UNIT) as u32;
        // Never closed.
        let _room = self.common.room.acquire_many(units).await;
        let counted = self.common.meter.begin();
        match self.exchange(input, purpose).await {
            Ok((answer, rates)) => {
                let tokens = answer.tokens.filter(|tokens| *tokens <= input.most_tokens());
                let tokens = tokens.unwrap_or(input.tokens as u64);
                admission.answered(usize::try_from(tokens).unwrap_or(usize::MAX), &rates);
                let texts = input.texts.len();
                counted.ended(Ended::Well { texts }, tokens);
                Ok(input.embeddings(answer, tokens))
            }
            Err(failed) => {
                let class = verdict(failed.fault);
                let tokens = if failed.is_paid { input.tokens as u64 } else { 0 };
                let how = match class {
                    FailureClass::Throttled => Ended::Throttled,
                    _ => Ended::Badly,
                };
                counted.ended(how, tokens);
                match class {
                    // Nobody was asked, so nothing is known.
                    _ if failed.fault == Fault::NotAsked => drop(admission),
                    FailureClass::Throttled => {
                        let overloaded = failed.is_overload();
                        admission.throttled(failed.retry_after, overloaded, &failed.rates, &failed.message);
                    }
                    FailureClass::Transient => admission.failed(failed.is_overload(), &failed.message),
                    FailureClass::Record | FailureClass::Configuration => admission.refused(&failed.rates),
                }
                Err(failed)
            }
        }
    }

    /// Sends and reads, whatever comes of it.
    async fn exchange(&self, input: &Input, purpose: Purpose) -> Result<(Answer, RateHeaders), Failed> {
        let secrets = self
            .secrets()
            .map_err(|message| Failed::before_sending(format!("provider \"{}\": {message}", self.name)))?;
        let encoding = match self.wants_decimals.load(Ordering::Relaxed) {
            true => EncodingFormat::Float,
            false => EncodingFormat::Base64,
        };
        let body = body::json(&self.model, &input.texts, encoding, self.sent_dimensions)
            .map_err(|error| Failed::before_sending(format!("provider \"{}\": {error}", self.name)))?;
        let client = match purpose {
            Purpose::Passage | Purpose::Change => &self.passages,
            Purpose::Query => &self.queries,
        };
        let sent = client
            .post(self.url.clone())
            .headers(secrets.headers.clone())
            .timeout(self.timeout)
            .body(body)
            .send()
            .await;
        let response = sent.map_err(|error| self.broken(&error, false))?;
        let status = response.status();
        let rates = rate_headers::rates(response.headers());
        if status != StatusCode::OK {
            let retry_after = rate_headers::retry_after(response.headers(), SystemTime::now());
            let body = answer::read(response, REFUSAL_BYTES).await.unwrap_or_default();
            if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
                // Somebody may have put a new key where the old one was.
                *self.secrets.lock() = None;
            }
            let hidden: Vec<&str> = secrets.values.iter().map(ExposeSecret::expose_secret).collect();
            let mut failed = Failed::refusal(&self.name, status, &body, &hidden, retry_after, rates);
            failed.is_about_encoding &= encoding == EncodingFormat::Base64;
            return Err(failed);
        }
        let dimensions = self.dimensions.get().copied();
        let texts = input.texts.len();
        let unusable = |fault| Failed::unusable(&self.name, dimensions, fault, texts, rates);
        let body = match answer::read(response, longest(texts, dimensions)).await {
            Ok(body) => body,
            Err(ReadError::TooLarge) => {
                return Err(unusable(Fault::TooLarge));
            }
            Err(ReadError::Broken(error)) => return Err(self.broken(&error, true)),
        };
        let parsing = tokio::task::spawn_blocking(move || parse(&body, texts, dimensions));
        match parsing.await {
            Ok(Ok(answer)) => Ok((answer, rates)),
            Ok(Err(reason)) => Err(unusable(reason.into())),
            Err(_) => Err(unusable(Fault::NotEmbeddings)),
        }
    }

    /// Texts with their prefix, cut to what the model sees. Off the threads that serve others when some have to be cut.
    async fn input(&self, texts: &[Arc<str>], purpose: Purpose) -> Result<Input, ProviderError> {
        let most = self.window;
        let prefix = self.prefix(purpose).to_owned();
        let is_long = |text: &Arc<str>| text.len() + prefix.len() > most;
        if !texts.iter().any(is_long) {
            return Ok(Input::of(texts, &prefix, most));
        }
        let texts = texts.to_vec();
        tokio::task::spawn_blocking(move || Input::of(&texts, &prefix, most))
            .await
            .map_err(|error| match error.is_panic() {
                true => ProviderError::Record("the tokenizer panicked on a text".to_owned()),
                false => ProviderError::Cancelled,
            })
    }

    fn plain_input(&self, purpose: Purpose) -> Input {
        Input::of(&[Arc::from(PLAIN_TEXT)], self.prefix(purpose), self.window)
    }

    fn prefix(&self, purpose: Purpose) -> &str {
        match purpose {
            Purpose::Query => &self.http.options.query_prefix,
            Purpose::Passage | Purpose::Change => &self.http.options.passage_prefix,
        }
    }

    fn secrets(&self) -> Result<Arc<Secrets>, String> {
        let mut kept = self.secrets.lock();
        if let Some(secrets) = &*kept {
            return Ok(Arc::clone(secrets));
        }
        let directory = self.http.secret_directory.as_deref();
        let (mut map, mut values) = headers::added(&self.http.options.headers, directory)?;
        map.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        map.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(reference) = &self.http.api_key_ref {
            let reference: SecretRef = reference.parse().map_err(|error| format!("{error}"))?;
            let secret = secret::read(&reference, directory)?;
            let (name, prefix) = self.http.dialect.key_header();
            let value = headers::sensitive(&format!("{prefix}{}", secret.expose_secret()))
                .ok_or_else(|| format!("{reference} holds bytes that no key has"))?;
            map.insert(HeaderName::from_static(name), value);
            values.push(secret);
        }
        let secrets = Arc::new(Secrets { headers: map, values });
        *kept = Some(Arc::clone(&secrets));
        Ok(secrets)
    }

    fn broken(&self, error: &reqwest::Error, is_paid: bool) -> Failed {
        let host = self.url.host_str().unwrap_or_default();
        Failed::broken(&self.name, host, self.timeout, error, is_paid)
    }

    /// The error of a provider that was out of order and still is.
    fn out_of_order(&self, failed: Failed) -> ProviderError {
        if verdict(failed.fault) == FailureClass::Configuration {
            return ProviderError::Configuration(failed.message);
        }
        ProviderError::Throttled {
            message: failed.message,
            retry_after: self.common.gate.report().pause.or(failed.retry_after),
        }
    }
}

#[async_trait]
impl EmbeddingProvider for HttpProvider {
    fn model(&self) -> &str {
        &self.model
    }

    fn dimensions(&self) -> usize {
        self.dimensions.get().copied().unwrap_or(0)
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    async fn embed(&self, request: EmbedRequest) -> Result<Vec<Embedding>, ProviderError> {
        tokio::select! {
            answer = self.embed_now(&request) => answer,
            () = request.cancel.raised() => Err(ProviderError::Cancelled),
            () = self.stopped.raised() => Err(ProviderError::Cancelled),
        }
    }

    fn token_spans(&self, text: &str) -> Result<Vec<Range<usize>>, ProviderError> {
        Ok(tokenizer::spans(text))
    }

    fn shutdown(&self) {
        self.stopped.raise();
    }
}
