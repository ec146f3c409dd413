//! Providers of the double, and calls of them.

use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};
use vb_engine::cancel::CancelFlag;
use vb_engine::provider::config::{Dialect, HttpConfig, ProviderConfig, ProviderKind};
use vb_engine::provider::contract::{EmbedRequest, Embedding, EmbeddingProvider, ProviderError, Purpose};
use vb_engine::provider::options::ProviderOptions;
use vb_engine::provider::registry::ProviderRegistry;
use vb_provider_double::embedding::embedding;
use vb_provider_double::server::ProviderDouble;

/// Dimensions that the double has by default.
pub(crate) const DIMENSIONS: usize = 32;

/// A configuration of a service that is reached as the double is.
pub(crate) fn config(server: &ProviderDouble) -> ProviderConfig {
    ProviderConfig {
        name: "double".into(),
        model: "test-model".into(),
        dimensions: Some(DIMENSIONS),
        max_tokens: None,
        kind: ProviderKind::Http(Box::new(HttpConfig {
            max_texts: Some(100),
            timeout_ms: 20_000,
            options: ProviderOptions {
                local: true,
                ..ProviderOptions::default()
            },
            ..HttpConfig::new(Dialect::OpenaiCompatible, Some(server.endpoint()))
        })),
    }
}

/// The part of a configuration that is about HTTP.
pub(crate) fn http(config: &mut ProviderConfig) -> &mut HttpConfig {
    match &mut config.kind {
        ProviderKind::Http(http) => http,
        ProviderKind::Onnx(_) => panic!("it is reached over HTTP"),
    }
}

/// A registry with the threads that its providers need.
pub(crate) struct Owner {
    pub(crate) runtime: Runtime,
    pub(crate) registry: ProviderRegistry,
}

impl Owner {
    /// One without providers.
    pub(crate) fn new() -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        Self {
            runtime,
            registry: ProviderRegistry::new(),
        }
    }

    /// The provider of a configuration.
    pub(crate) fn provider(&self, config: &ProviderConfig) -> Result<Arc<dyn EmbeddingProvider>, ProviderError> {
        self.runtime.block_on(self.registry.get(config))
    }

    /// Embeds passages.
    pub(crate) fn embed(&self, config: &ProviderConfig, texts: &[&str]) -> Result<Vec<Embedding>, ProviderError> {
        let provider = self.provider(config)?;
        self.runtime.block_on(provider.embed(passages(texts)))
    }

    /// Embeds passages that have to fail.
    pub(crate) fn failure(&self, config: &ProviderConfig, texts: &[&str]) -> ProviderError {
        self.embed(config, texts).expect_err("the call has to fail")
    }
}

/// A request for passages.
pub(crate) fn passages(texts: &[&str]) -> EmbedRequest {
    EmbedRequest {
        texts: texts.iter().map(|text| Arc::from(*text)).collect(),
        purpose: Purpose::Passage,
        cancel: CancelFlag::default(),
    }
}

/// Panics unless each embedding is that of its text.
pub(crate) fn assert_right(embeddings: &[Embedding], texts: &[&str]) {
    assert_eq!(embeddings.len(), texts.len());
    for (found, text) in embeddings.iter().zip(texts) {
        let expected = embedding(text, found.vector.len());
        let likeness: f32 = found.vector.iter().zip(&expected).map(|(a, b)| a * b).sum();
        assert!(likeness > 0.99999, "the vector of {text:?} is another one: {likeness}");
    }
}
