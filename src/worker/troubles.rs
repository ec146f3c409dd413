//! Providers that were called in vain lately: others of the same model go before them.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use vb_engine::pipeline::engine::Engine;
use vb_engine::provider::config::ProviderConfig;

/// How long a provider that is not usable as configured stands behind others: nobody says when it is put right.
const REMEMBERED: Duration = Duration::from_secs(60);

/// What was wrong with providers.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    misconfigured: HashMap<ProviderConfig, (Instant, String)>,
}

impl Troubles {
    /// A provider is not usable as configured.
    pub(crate) fn note(&mut self, config: &ProviderConfig, message: &str) {
        let now = Instant::now();
        self.misconfigured.retain(|_, (until, _)| *until > now);
        self.misconfigured
            .insert(config.clone(), (now + REMEMBERED, message.to_owned()));
    }

    /// What is wrong with a provider now, as far as is known.
    pub(crate) fn of(&self, engine: &Engine, config: &ProviderConfig) -> Option<String> {
        let now = Instant::now();
        if let Some((_, message)) = self.misconfigured.get(config).filter(|(until, _)| *until > now) {
            return Some(message.clone());
        }
        let gate = engine.gate(config).filter(|gate| gate.breaker != "closed")?;
        Some(gate.trouble.unwrap_or_else(|| "it is out of order".to_owned()))
    }
}
