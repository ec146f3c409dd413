//! A provider in memory.

use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use vb_engine::pipeline::providers::Providers;
use vb_engine::provider::config::{OnnxConfig, ProviderConfig, ProviderKind};
use vb_engine::provider::contract::{EmbedRequest, Embedding, EmbeddingProvider, Limits, ProviderError, Purpose};
use vb_engine::provider::options::LocalOptions;

use super::gate::Gate;

/// The model that the doubles serve.
pub(crate) const MODEL: &str = "test-model";

/// Dimensions of the doubles' vectors.
pub(crate) const DIMENSIONS: usize = 4;

type Behaviour = Box<dyn Fn(&EmbedRequest) -> Result<Vec<Embedding>, ProviderError> + Send + Sync>;

/// Embeds with a function of the test's. Records every request, and may be held at a gate.
pub(crate) struct ScriptedProvider {
    behaviour: Behaviour,
    max_texts: usize,
    parallel_requests: usize,
    passage_gate: Option<Arc<Gate>>,
    query_gate: Option<Arc<Gate>>,
    requests: Mutex<Vec<EmbedRequest>>,
}

impl ScriptedProvider {
    /// One that behaves as told.
    pub(crate) fn new(
        behaviour: impl Fn(&EmbedRequest) -> Result<Vec<Embedding>, ProviderError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            behaviour: Box::new(behaviour),
            max_texts: 16,
            parallel_requests: 1,
            passage_gate: None,
            query_gate: None,
            requests: Mutex::default(),
        }
    }

    /// One that keeps its contract.
    pub(crate) fn sound() -> Self {
        Self::new(|request| Ok(embeddings(&request.texts)))
    }

    /// One that refuses requests with a text that contains the word.
    pub(crate) fn refusing(word: &'static str) -> Self {
        Self::new(
            move |request| match request.texts.iter().find(|text| text.contains(word)) {
                Some(_) => Err(ProviderError::Record(format!("cannot stand \"{word}\""))),
                None => Ok(embeddings(&request.texts)),
            },
        )
    }

    /// The same, with so many requests of a batch at the same time.
    pub(crate) fn in_parallel(self, parallel_requests: usize) -> Self {
        Self {
            parallel_requests,
            ..self
        }
    }

    /// The same, with requests for passages held at the gate.
    pub(crate) fn held_at(self, gate: &Arc<Gate>) -> Self {
        Self {
            passage_gate: Some(gate.clone()),
            ..self
        }
    }

    /// The same, with queries held at the gate.
    pub(crate) fn queries_held_at(self, gate: &Arc<Gate>) -> Self {
        Self {
            query_gate: Some(gate.clone()),
            ..self
        }
    }

    /// The texts of each request so far.
    pub(crate) fn requests(&self) -> Vec<Vec<String>> {
        let requests = self.requests.lock().unwrap();
        requests
            .iter()
            .map(|request| request.texts.iter().map(ToString::to_string).collect())
            .collect()
    }

    /// Whether the latest request's cancel flag is raised.
    pub(crate) fn latest_is_cancelled(&self) -> bool {
        self.requests
            .lock()
            .unwrap()
            .last()
            .is_some_and(|request| request.cancel.is_raised())
    }
}

/// A sound answer: equal texts have equal vectors of length one.
pub(crate) fn embeddings(texts: &[Arc<str>]) -> Vec<Embedding> {
    texts.iter().map(|text| embedding(text)).collect()
}

/// The vector of a text.
pub(crate) fn embedding(text: &str) -> Embedding {
    let mut vector = vec![1.0; DIMENSIONS];
    for (position, byte) in text.bytes().enumerate() {
        vector[position % DIMENSIONS] += f32::from(byte) * (position + 1) as f32;
    }
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|number| *number /= length);
    Embedding {
        vector,
        tokens: text.split_whitespace().count() as u32,
        truncated: false,
    }
}

#[async_trait]
impl EmbeddingProvider for ScriptedProvider {
    fn model(&self) -> &str {
        MODEL
    }

    fn dimensions(&self) -> usize {
        DIMENSIONS
    }

    fn limits(&self) -> Limits {
        Limits {
            max_texts: self.max_texts,
            max_tokens: 256,
            added_tokens: 0,
            max_request_tokens: usize::MAX,
            max_request_bytes: usize::MAX,
            parallel_requests: self.parallel_requests,
        }
    }

    async fn embed(&self, request: EmbedRequest) -> Result<Vec<Embedding>, ProviderError> {
        self.requests.lock().unwrap().push(request.clone());
        let gate = match request.purpose {
            Purpose::Passage => &self.passage_gate,
            Purpose::Query => &self.query_gate,
            Purpose::Change => &None,
        };
        if let Some(gate) = gate {
            gate.pass().await;
        }
        (self.behaviour)(&request)
    }

    fn token_spans(&self, text: &str) -> Result<Vec<Range<usize>>, ProviderError> {
        let start_of = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
        Ok(text
            .split_whitespace()
            .map(|word| start_of(word)..start_of(word) + word.len())
            .collect())
    }
}

/// Gives the same provider for every configuration.
pub(crate) struct Only(pub Arc<ScriptedProvider>);

#[async_trait]
impl Providers for Only {
    async fn provider(&self, _config: &ProviderConfig) -> Result<Arc<dyn EmbeddingProvider>, ProviderError> {
        Ok(self.0.clone())
    }

    fn evict_idle(&self, _idle: Duration) {}

    /// Calls under way end: a provider that is held goes on to its answer.
    fn shutdown(&self) {
        for gate in [&self.0.passage_gate, &self.0.query_gate].into_iter().flatten() {
            gate.open();
        }
    }
}

/// A configuration that stands for the double.
pub(crate) fn config() -> ProviderConfig {
    ProviderConfig {
        name: "test-provider".into(),
        model: MODEL.into(),
        dimensions: None,
        max_tokens: None,
        kind: ProviderKind::Onnx(OnnxConfig {
            library: "none".into(),
            model_directory: "none".into(),
            threads: 1,
            nice: 0,
            options: LocalOptions::default(),
        }),
    }
}
