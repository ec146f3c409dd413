//! Where the engine gets its providers: the registry, or a double in tests.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::provider::config::ProviderConfig;
use crate::provider::contract::{EmbeddingProvider, ProviderError};
use crate::provider::gate_report::GateReport;
use crate::provider::registry::{ProviderRegistry, ProviderReport};

/// Gives the provider for a configuration. May be called from many tasks at once.
#[async_trait]
pub trait Providers: Send + Sync {
    /// The provider; equal configurations share one. The first call loads its model, which may take seconds.
    async fn provider(&self, config: &ProviderConfig) -> Result<Arc<dyn EmbeddingProvider>, ProviderError>;

    /// Gives back the memory of providers that nobody used for so long.
    fn evict_idle(&self, idle: Duration);

    /// What each provider did since the last report.
    fn reports(&self) -> Vec<ProviderReport> {
        Vec::new()
    }

    /// How the endpoint of a configuration is, where it has been asked.
    fn gate(&self, _config: &ProviderConfig) -> Option<GateReport> {
        None
    }

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

    fn reports(&self) -> Vec<ProviderReport> {
        self.reports()
    }

    fn gate(&self, config: &ProviderConfig) -> Option<GateReport> {
        self.gate(config)
    }

    fn shutdown(&self) {
        self.shutdown();
    }
}
