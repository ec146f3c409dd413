//! Providers that are in use: one instance for each configuration, made when first asked for, dropped when idle.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::provider::config::{HttpConfig, ProviderConfig, ProviderKind};
use crate::provider::contract::{EmbeddingProvider, ProviderError};
use crate::provider::gate::Gate;
use crate::provider::gate_report::GateReport;
use crate::provider::http::Clients;
use crate::provider::http::provider::{BYTES_UNDER_WAY, Common, HttpProvider, ROOM_UNIT};
use crate::provider::meter::{Meter, Usage};
use crate::provider::metered::Metered;
use crate::provider::onnx::{OnnxProvider, PACK_LIMITS};

/// Shares providers between all who have an equal configuration.
#[derive(Default)]
pub struct ProviderRegistry {
    entries: Mutex<HashMap<ProviderConfig, Arc<Entry>>>,
    shared: Arc<Shared>,
}

/// What providers share, and what outlives them.
struct Shared {
    /// True for good once shut down. Read-locked while a provider is being made, so that shutting down waits for it.
    closed: RwLock<bool>,
    clients: Clients,
    room: Arc<Semaphore>,
    gates: Mutex<HashMap<Endpoint, Arc<Gate>>>,
    /// By the provider's name.
    watched: Mutex<HashMap<String, Watched>>,
}

/// What one limit of a service holds for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Endpoint {
    address: Option<String>,
    deployment: Option<String>,
    model: String,
    api_key_ref: Option<String>,
    /// There may be keys in them too.
    headers: BTreeMap<String, String>,
}

/// What can be seen of a provider.
#[derive(Clone, Default)]
struct Watched {
    meter: Arc<Meter>,
    gate: Option<Arc<Gate>>,
}

/// What a provider did lately and how it is.
#[derive(Debug, Clone)]
pub struct ProviderReport {
    /// Its name.
    pub name: String,
    /// What it did since the last report.
    pub usage: Usage,
    /// Latencies of its last calls: the middle one, and one that 95 of 100 do not exceed.
    pub latencies: Option<(Duration, Duration)>,
    /// How its endpoint is; `None` for a local model.
    pub gate: Option<GateReport>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            closed: RwLock::default(),
            clients: Clients::default(),
            room: Arc::new(Semaphore::new(BYTES_UNDER_WAY / ROOM_UNIT)),
            gates: Mutex::default(),
            watched: Mutex::default(),
        }
    }
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
        let shared = Arc::clone(&self.shared);
        tokio::task::spawn_blocking(move || entry.make(&config, &shared))
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
        *self.shared.closed.write().unwrap_or_else(PoisonError::into_inner) = true;
        let entries = std::mem::take(&mut *lock(&self.entries));
        for provider in entries.values().filter_map(|entry| entry.provider.get()) {
            provider.shutdown();
        }
    }

    /// What each provider did since the last report.
    pub fn reports(&self) -> Vec<ProviderReport> {
        let watched = lock(&self.shared.watched);
        let report = |(name, watched): (&String, &Watched)| ProviderReport {
            name: name.clone(),
            usage: watched.meter.take(),
            latencies: watched.meter.latencies(),
            gate: watched.gate.as_ref().map(|gate| gate.report()),
        };
        watched.iter().map(report).collect()
    }

    /// How the endpoint of a configuration is; `None` when it was not asked yet, or is a local model.
    pub fn gate(&self, config: &ProviderConfig) -> Option<GateReport> {
        let ProviderKind::Http(http) = &config.kind else {
            return None;
        };
        let gates = lock(&self.shared.gates);
        gates.get(&Endpoint::of(http, &config.model)).map(|gate| gate.report())
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
    fn make(&self, config: &ProviderConfig, shared: &Shared) -> Result<Arc<dyn EmbeddingProvider>, ProviderError> {
        let _once = lock(&self.making);
        let closed = shared.closed.read().unwrap_or_else(PoisonError::into_inner);
        if *closed {
            return Err(ProviderError::Cancelled);
        }
        if let Some(provider) = self.provider.get() {
            return Ok(Arc::clone(provider));
        }
        let provider = shared.make(config)?;
        Ok(Arc::clone(self.provider.get_or_init(|| provider)))
    }
}

impl Shared {
    fn make(&self, config: &ProviderConfig) -> Result<Arc<dyn EmbeddingProvider>, ProviderError> {
        match &config.kind {
            ProviderKind::Onnx(onnx) => {
                let provider = OnnxProvider::load(config, onnx, PACK_LIMITS)?;
                let meter = self.watch(&config.name, None);
                Ok(Arc::new(Metered { provider, meter }))
            }
            ProviderKind::Http(http) => {
                let gate = self.gate(config, http);
                let common = Common {
                    gate: Arc::clone(&gate),
                    meter: self.watch(&config.name, Some(gate)),
                    room: Arc::clone(&self.room),
                };
                let provider = HttpProvider::new(config, http, &self.clients, common)?;
                Handle::current().block_on(provider.learn_dimensions())?;
                Ok(Arc::new(provider))
            }
        }
    }

    /// The way to the endpoint, shared by all configurations of it.
    fn gate(&self, config: &ProviderConfig, http: &HttpConfig) -> Arc<Gate> {
        let mut gates = lock(&self.gates);
        let gate = gates
            .entry(Endpoint::of(http, &config.model))
            .or_insert_with(|| Arc::new(Gate::new()));
        gate.configure(&config.name, http.requests_per_minute, http.tokens_per_minute);
        Arc::clone(gate)
    }

    fn watch(&self, name: &str, gate: Option<Arc<Gate>>) -> Arc<Meter> {
        let mut all = lock(&self.watched);
        let watched = all.entry(name.to_owned()).or_default();
        watched.gate = gate;
        Arc::clone(&watched.meter)
    }
}

impl Endpoint {
    fn of(http: &HttpConfig, model: &str) -> Self {
        Self {
            address: http.endpoint.clone(),
            deployment: http.options.deployment.clone(),
            model: model.to_owned(),
            api_key_ref: http.api_key_ref.clone(),
            headers: http.options.headers.clone(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
