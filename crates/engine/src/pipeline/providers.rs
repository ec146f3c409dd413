//! Where the engine gets its providers: the registry, or a double in tests.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::provider::config::ProviderConfig;
use crate::provider::contract::{EmbeddingProvider, ProviderError};
use crate::provider::registry::ProviderRegistry;

/// Gives the provider for a configuration. May be called from many tasks at once.
#[async_trait]
pub trait Providers: Send + Sync {
    /// The provider; equal configurations share one. The first call loads its model, which may take seconds.
    async fn provider(&self, config: &ProviderConfig) -> Result<Arc<dyn EmbeddingProvider>, ProviderError>;

    /// Gives back the memory of providers that nobody used for so long.
    fn evict_idle(&self, idle: Duration);

    /// Ends every call of every provider and waits for that; keeps none. Blocks.
    fn shutdown(&self);
}

#[async_trait]
impl Providers for ProviderRegistry {
    async fn provider(&self, config: &ProviderConfig) -> Result<Arc<dyn EmbeddingProvider>, ProviderError> {
        self.get(config).await
    }

    fn evict_idle(&self, idle: Duration) {
        self.evict_idle(idle);
    }

    fn shutdown(&self) {
        self.shutdown();
    }
}
