//! Providers that are in use: one instance for each configuration, made when first asked for, dropped when idle.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::provider::config::{ProviderConfig, ProviderKind};
use crate::provider::contract::{EmbeddingProvider, ProviderError};
use crate::provider::onnx::{OnnxProvider, PACK_LIMITS};

/// Shares providers between all who have an equal configuration.
#[derive(Default)]
pub struct ProviderRegistry {
    entries: Mutex<HashMap<ProviderConfig, Arc<Entry>>>,
    /// True for good once shut down. Read-locked while a provider is being made, so that shutting down waits for it.
    closed: Arc<RwLock<bool>>,
}

/// A configuration that somebody asked for.
struct Entry {
    provider: OnceLock<Arc<dyn EmbeddingProvider>>,
    /// Held while the provider is made, so that it is made once.
    making: Mutex<()>,
    last_use: Mutex<Instant>,
}

impl ProviderRegistry {
    /// A registry without providers.
    pub fn new() -> Self {
        Self::default()
    }

    /// The provider of this configuration. The first call makes it, which for a local model takes seconds; calls that
    /// come meanwhile wait for the same one. A failure is not remembered: the next call tries again.
    ///
    /// Whoever holds the provider keeps it from being evicted, and should let go of it when the work is done.
    pub async fn get(&self, config: &ProviderConfig) -> Result<Arc<dyn EmbeddingProvider>, ProviderError> {
        let entry = self.entry(config);
        if let Some(provider) = entry.provider.get() {
            return Ok(Arc::clone(provider));
        }
        let config = config.clone();
        let closed = Arc::clone(&self.closed);
        tokio::task::spawn_blocking(move || entry.make(&config, &closed))
            .await
            .map_err(|error| {
                if error.is_panic() {
                    ProviderError::Configuration("the provider panicked while it was made".to_owned())
                } else {
                    ProviderError::Cancelled
                }
            })?
    }

    /// Drops providers that nobody holds and nobody asked for since `older_than`. Call it now and then.
    pub fn evict_idle(&self, older_than: Duration) {
        let now = Instant::now();
        lock(&self.entries).retain(|config, entry| {
            let held = Arc::strong_count(entry) > 1
                || entry
                    .provider
                    .get()
                    .is_some_and(|provider| Arc::strong_count(provider) > 1);
            let mut last_use = lock(&entry.last_use);
            if held {
                *last_use = now;
            }
            let keep = held || now.duration_since(*last_use) < older_than;
            if !keep {
                log::debug!("provider \"{}\" is idle, letting go of it", config.name);
            }
            keep
        });
    }

    /// Shuts all providers down and waits for them; afterwards nothing works any more. Blocks for a fraction of a
    /// second, longer when a model is being loaded.
    pub fn shutdown(&self) {
        *self.closed.write().unwrap_or_else(PoisonError::into_inner) = true;
        let entries = std::mem::take(&mut *lock(&self.entries));
        for provider in entries.values().filter_map(|entry| entry.provider.get()) {
            provider.shutdown();
        }
    }

    fn entry(&self, config: &ProviderConfig) -> Arc<Entry> {
        let mut entries = lock(&self.entries);
        let entry = entries.entry(config.clone()).or_insert_with(|| {
            Arc::new(Entry {
                provider: OnceLock::new(),
                making: Mutex::new(()),
                last_use: Mutex::new(Instant::now()),
            })
        });
        *lock(&entry.last_use) = Instant::now();
        Arc::clone(entry)
    }
}

impl Entry {
    fn make(
        &self,
        config: &ProviderConfig,
        closed: &RwLock<bool>,
    ) -> Result<Arc<dyn EmbeddingProvider>, ProviderError> {
        let _once = lock(&self.making);
        let closed = closed.read().unwrap_or_else(PoisonError::into_inner);
        if *closed {
            return Err(ProviderError::Cancelled);
        }
        if let Some(provider) = self.provider.get() {
            return Ok(Arc::clone(provider));
        }
        let provider = make(config)?;
        Ok(Arc::clone(self.provider.get_or_init(|| provider)))
    }
}

fn make(config: &ProviderConfig) -> Result<Arc<dyn EmbeddingProvider>, ProviderError> {
    match &config.kind {
        ProviderKind::Onnx(onnx) => Ok(Arc::new(OnnxProvider::load(config, onnx, PACK_LIMITS)?)),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
