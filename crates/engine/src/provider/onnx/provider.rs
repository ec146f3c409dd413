//! The local model as an [`EmbeddingProvider`].

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::cancel::CancelFlag;
use crate::policy::packing::PackLimits;
use crate::priority::Priority;
use crate::provider::config::{OnnxConfig, ProviderConfig};
use crate::provider::contract::{EmbedRequest, Embedding, EmbeddingProvider, Limits, ProviderError, Purpose};
use crate::provider::onnx::model_file::{self, ModelFile};
use crate::provider::onnx::pack_job::Interest;
use crate::provider::onnx::request::{AbandonOnDrop, QueuedRequest};
use crate::provider::onnx::runtime;
use crate::provider::onnx::threads::{Group, Model, ModelThreads};
use crate::provider::onnx::tokenize::{TextTokenizer, TokenizedText};

/// Tokens of a text that the model sees when nobody says otherwise, special tokens included: what all-MiniLM-L6-v2 was
/// published with (`max_seq_length`), and what nearly all models of its kind can take.
const DEFAULT_WINDOW: usize = 256;

/// How much goes through a session at a time. Small packs stay in the processor's cache: measured with MiniLM on
/// package descriptions of 104 tokens, 512 padded tokens give 2,900 real tokens a second and core, 1,500 give 2,600 and
/// 4,000 give 2,200, because of the cache and of more padding; two sessions then take 340, 485 and 1,025 MB. Below 512
/// nothing is gained.
pub const PACK_LIMITS: PackLimits = PackLimits {
    padded_tokens: 512,
    texts: 64,
};

/// Texts in a request: enough for sorting by length to leave little padding, few enough to be repeated when one fails.
const MAX_TEXTS: usize = 512;

/// Bytes of a model and of a tokenizer. ONNX is no larger in one file; the largest published tokenizers have 35 MB.
const MOST_MODEL_BYTES: u64 = i32::MAX as u64;
const MOST_TOKENIZER_BYTES: u64 = 128 * 1024 * 1024;

/// A sentence embedding model run by ONNX Runtime on threads of its own.
///
/// Dropping it ends the threads soon, without waiting for them; [`EmbeddingProvider::shutdown`] waits.
pub struct OnnxProvider {
    shared: Arc<Shared>,
}

/// What requests use on other threads, possibly for a moment longer than the provider lives. The threads end with it.
struct Shared {
    model_name: String,
    tokenizer: TextTokenizer,
    model: Arc<Model>,
    pack_limits: PackLimits,
    passages: ModelThreads,
    /// Started by the first change, so that what only backfills does not pay for it.
    changes: Mutex<Option<Arc<ModelThreads>>>,
    /// Started by the first query.
    queries: Mutex<Option<Arc<ModelThreads>>>,
    /// Niceness of those of changes.
    nice: i32,
    stopped: CancelFlag,
}

impl OnnxProvider {
    /// Loads the library, the tokenizer and a session for each thread. Blocks for a second or two.
    pub fn load(config: &ProviderConfig, onnx: &OnnxConfig, pack_limits: PackLimits) -> Result<Self, ProviderError> {
        let window = config.max_tokens.unwrap_or(DEFAULT_WINDOW);
        let (folder, expected) = (&onnx.model_directory, &onnx.options.sha256);
        model_file::check_folder(folder)?;
        let (file, bytes) = ModelFile::open(folder, "tokenizer.json", MOST_TOKENIZER_BYTES, expected.tokenizer)?;
        let tokenizer = TextTokenizer::load(file.path(), &bytes, window)?;
        let (file, bytes) = ModelFile::open(folder, "model.onnx", MOST_MODEL_BYTES, expected.model)?;
        let model = Arc::new(Model {
            environment: runtime::environment(&onnx.library)?,
            file,
            padding_id: tokenizer.padding_id(),
            probe: tokenizer.widest_row(),
        });
        let group = Group {
            name: "vb-passage",
            threads: onnx.threads,
            priority: Priority::of_backfills(onnx.nice),
        };
        let passages = ModelThreads::start(&model, bytes, &group)?;
        if let Some(expected) = config.dimensions.filter(|&expected| expected != passages.dimensions()) {
            return Err(ProviderError::Configuration(format!(
                "provider \"{}\" is configured for {expected} dimensions, but model \"{}\" has {}",
                config.name,
                model.file.path().display(),
                passages.dimensions()
            )));
        }
        let shared = Shared {
            model_name: config.model.clone(),
            tokenizer,
            model,
            pack_limits,
            passages,
            changes: Mutex::new(None),
            queries: Mutex::new(None),
            nice: onnx.nice,
            stopped: CancelFlag::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }
}

impl Shared {
    /// Tokenises and queues; blocks until the last pack is on its way.
    fn queue(&self, texts: &[Arc<str>], purpose: Purpose, interest: &Interest) -> Result<QueuedRequest, ProviderError> {
        let mut tokenized: Vec<TokenizedText> = Vec::with_capacity(texts.len());
        for text in texts {
            if interest.is_lost() || self.stopped.is_raised() {
                return Err(ProviderError::Cancelled);
            }
            tokenized.push(self.tokenizer.tokenize(text)?);
        }
        let queue = match purpose {
            Purpose::Passage => self.passages.sender(),
            Purpose::Change => self
                .started(&self.changes, "vb-change", Priority::Nice(self.nice))?
                .sender(),
            Purpose::Query => self.started(&self.queries, "vb-query", Priority::Kept)?.sender(),
        };
        let queue = queue.ok_or(ProviderError::Cancelled)?;
        Ok(QueuedRequest::queue(tokenized, self.pack_limits, interest, &queue))
    }

    /// A thread that is kept for what cannot wait for backfills: queries, at the priority of whoever asks, or changes.
    fn started(
        &self,
        threads: &Mutex<Option<Arc<ModelThreads>>>,
        name: &'static str,
        priority: Priority,
    ) -> Result<Arc<ModelThreads>, ProviderError> {
        let mut threads = lock(threads);
        if self.stopped.is_raised() {
            return Err(ProviderError::Cancelled);
        }
        if let Some(threads) = &*threads {
            return Ok(Arc::clone(threads));
        }
        let group = Group {
            name,
            threads: 1,
            priority,
        };
        let bytes = self.model.file.read_again()?;
        let started = Arc::new(ModelThreads::start(&self.model, bytes, &group)?);
        *threads = Some(Arc::clone(&started));
        Ok(started)
    }
}

#[async_trait]
impl EmbeddingProvider for OnnxProvider {
    fn model(&self) -> &str {
        &self.shared.model_name
    }

    fn dimensions(&self) -> usize {
        self.shared.passages.dimensions()
    }

    fn limits(&self) -> Limits {
        Limits {
            max_texts: MAX_TEXTS,
            max_tokens: self.shared.tokenizer.content_tokens(),
            added_tokens: self.shared.tokenizer.special_tokens(),
            max_request_tokens: usize::MAX,
            max_request_bytes: usize::MAX,
            parallel_requests: 1,
        }
    }

    async fn embed(&self, request: EmbedRequest) -> Result<Vec<Embedding>, ProviderError> {
        let EmbedRequest { texts, purpose, cancel } = request;
        let interest = Interest {
            cancel: cancel.clone(),
            abandoned: CancelFlag::default(),
        };
        let _abandon = AbandonOnDrop(interest.abandoned.clone());
        let shared = Arc::clone(&self.shared);
        let answer = async {
            let queued = tokio::task::spawn_blocking(move || shared.queue(&texts, purpose, &interest)).await;
            let queued = queued.map_err(|error| match error.is_panic() {
                true => ProviderError::Record("the tokenizer panicked on a text".to_owned()),
                false => ProviderError::Cancelled,
            })??;
            queued
                .answer(|| cancel.is_raised() || self.shared.stopped.is_raised())
                .await
        };
        tokio::select! {
            answer = answer => answer,
            () = cancel.raised() => Err(ProviderError::Cancelled),
        }
    }

    fn token_spans(&self, text: &str) -> Result<Vec<Range<usize>>, ProviderError> {
        self.shared.tokenizer.spans(text)
    }

    fn shutdown(&self) {
        self.shared.stopped.raise();
        self.shared.passages.stop();
        // Waits for a session that is being loaded at this moment: loading cannot be interrupted.
        for threads in [&self.shared.changes, &self.shared.queries] {
            if let Some(threads) = &*lock(threads) {
                threads.stop();
                threads.join();
            }
        }
        self.shared.passages.join();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
