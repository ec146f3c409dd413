//! Providers that were called in vain lately: others of the same model go before them.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use vb_engine::pipeline::engine::Engine;
use vb_engine::provider::config::ProviderConfig;

/// How long a provider stands behind others after it failed: nobody says when it is put right.
const REMEMBERED: Duration = Duration::from_secs(60);

/// How bad it is: less bad ones go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// It may pass by itself.
    OutOfOrder,
    /// Somebody has to change something.
    Misconfigured,
}

/// What is wrong with a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// How bad it is.
    pub(crate) severity: Severity,
    /// For people.
    pub(crate) message: String,
}

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
    pub(crate) fn of(&self, engine: &Engine, config: &ProviderConfig) -> Option<Trouble> {
        let now = Instant::now();
        if let Some((_, message)) = self.misconfigured.get(config).filter(|(until, _)| *until > now) {
            return Some(Trouble {
                severity: Severity::Misconfigured,
                message: message.clone(),
            });
        }
        let gate = engine.gate(config)?;
        // One that nobody asked since may be well again.
        let failed_lately = gate.last_failure.is_some_and(|age| age < REMEMBERED);
        (gate.breaker != "closed" && failed_lately).then(|| Trouble {
            severity: Severity::OutOfOrder,
            message: gate.trouble.unwrap_or_else(|| "it is out of order".to_owned()),
        })
    }
}
