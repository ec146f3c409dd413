//! The engine as its owner sees it: batches are submitted, outcomes are taken, and no call waits. What it does about
//! collections besides is in [`super::background`].
//!
//! Its owner is one thread (in Postgres the worker's main thread), which blocks all signals before it calls
//! [`Engine::start`], since the engine's threads inherit the mask. Nothing in here calls back into the owner: outcomes and
//! log records wait in channels until they are taken, and one byte on the wake socket says that an outcome waits.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::background::Background;
use super::collections::Collections;
use super::config::{EngineConfig, StartError};
use super::log_channel::{self, LogRecord};
use super::outcomes::OutcomeSender;
use super::providers::Providers;
use super::run_batch::{self, Stages};
use super::stores::Stores;
use super::threads;
use crate::batch::{Batch, Outcome};
use crate::cancel::CancelFlag;
use crate::client_budgets::ClientBudgets;
use crate::provider::config::ProviderConfig;
use crate::provider::gate_report::GateReport;
use crate::provider::registry::{ProviderRegistry, ProviderReport};
use crate::service::answer::Service;
use crate::service::listener::{Listener, MAX_CONNECTIONS};
use crate::service::question::Questions;
use crate::store::contract::VectorStore;
use crate::store::error::StoreError;

/// How often providers are looked through for idle ones.
const EVICTION_INTERVAL: Duration = Duration::from_secs(10);

/// Runs batches and the search service on threads of its own. Dropped without [`Engine::shutdown`] it ends as well, but
/// nobody waits for that and the store is left as a crash would leave it, which does it no harm.
pub struct Engine {
    /// `None` once shut down.
    pub(super) running: Option<Running>,
    pub(super) stages: Arc<Stages>,
    clients: Arc<ClientBudgets>,
    outcomes: Receiver<(u64, Outcome)>,
    pub(super) sender: OutcomeSender,
    /// Batches whose outcome was not taken, by the number of their submission.
    in_flight: HashMap<u64, InFlight>,
    submissions: u64,
    /// What is done about collections in the background.
    pub(super) background: Background,
}

/// What has to be ended.
pub(super) struct Running {
    pub(super) batches: Runtime,
    pub(super) service: Runtime,
    listening: JoinHandle<()>,
}

struct InFlight {
    bytes: usize,
    cancel: CancelFlag,
}

impl Engine {
    /// Opens the store, binds the search service's socket and starts the threads. Loads no model.
    pub fn start(config: EngineConfig) -> Result<Self, StartError> {
        let niceness = threads::niceness(config.nice).map_err(|source| io_error("read the priority", source))?;
        log_channel::install(config.log_level);
        let open = |config: &EngineConfig| Stores::open(&config.stores, niceness);
        Self::start_parts(config, niceness, open, Arc::new(ProviderRegistry::new()))
    }

    /// The same with a store and providers of the caller's; what the configuration says about stores is not read.
    pub fn start_with(
        config: EngineConfig,
        store: Arc<dyn VectorStore>,
        providers: Arc<dyn Providers>,
    ) -> Result<Self, StartError> {
        let niceness = threads::niceness(config.nice).map_err(|source| io_error("read the priority", source))?;
        log_channel::install(config.log_level);
        Self::start_parts(config, niceness, |_| Ok(Stores::given(store)), providers)
    }

    fn start_parts(
        config: EngineConfig,
        niceness: i32,
        open: impl FnOnce(&EngineConfig) -> Result<Stores, StoreError>,
        providers: Arc<dyn Providers>,
    ) -> Result<Self, StartError> {
        let service =
            threads::for_service(MAX_CONNECTIONS).map_err(|source| io_error("start the service's threads", source))?;
        let stores = {
            // Connections serve searches too, so they are driven at their priority.
            let _runtime = service.enter();
            open(&config)?
        };
        let EngineConfig {
            socket,
            wake,
            request_timeout,
            provider_idle,
            ..
        } = config;
        wake.set_nonblocking(true)
            .map_err(|source| io_error("prepare the wake socket", source))?;
        let batches =
            threads::for_batches(niceness).map_err(|source| io_error("start the engine's threads", source))?;

        let collections = Collections::new(stores);
        let stages = Arc::new(Stages {
            providers,
            collections,
            loader: service.handle().clone(),
        });
        let listener = {
            let _runtime = service.enter();
            Listener::bind(&socket)?
        };
        let clients = Arc::new(ClientBudgets::default());
        let answering = Service {
            stages: stages.clone(),
            questions: Arc::new(Questions::new(clients.clone())),
            request_timeout,
        };
        let listening = service.spawn(listener.serve(answering));
        service.spawn(evict_idle_providers(stages.providers.clone(), provider_idle));

        let (sender, outcomes) = OutcomeSender::new(wake);
        Ok(Self {
            running: Some(Running {
                batches,
                service,
                listening,
            }),
            stages,
            clients,
            outcomes,
            sender,
            in_flight: HashMap::new(),
            submissions: 0,
            background: Background::default(),
        })
    }

    /// Starts work on a batch. Each batch gives exactly one outcome, whatever happens to it, in the order in which they
    /// end. The engine works on all submitted batches at the same time: how many that are is the caller's decision.
    pub fn submit(&mut self, batch: Batch) {
        let Some(running) = &self.running else { return };
        self.submissions += 1;
        let number = self.submissions;
        let bytes = bytes_of(&batch);
        self.in_flight.insert(
            number,
            InFlight {
                bytes,
                cancel: batch.cancel.clone(),
            },
        );
        let (stages, sender) = (self.stages.clone(), self.sender.clone());
        running.batches.spawn(async move {
            let (batch_id, job_id) = (batch.id, batch.job_id);
            let (result, spent) = run_batch::run(batch, stages).await;
            sender.send(
                number,
                Outcome {
                    batch_id,
                    job_id,
                    result,
                    spent,
                },
            );
        });
    }

    /// The next outcome, if one waits.
    pub fn try_outcome(&mut self) -> Option<Outcome> {
        let (number, outcome) = self.outcomes.try_recv().ok()?;
        self.in_flight.remove(&number);
        Some(outcome)
    }

    /// Batches submitted whose outcome was not taken yet.
    pub fn batches_in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Bytes of texts, vectors and columns in those batches.
    pub fn bytes_in_flight(&self) -> usize {
        self.in_flight.values().map(|batch| batch.bytes).sum()
    }

    /// What each provider did since the last report.
    pub fn provider_reports(&self) -> Vec<ProviderReport> {
        self.stages.providers.reports()
    }

    /// Budgets that batches and searches pay from.
    pub fn client_budgets(&self) -> &Arc<ClientBudgets> {
        &self.clients
    }

    /// How the endpoint of a configuration is; `None` when it was not asked yet, or is a local model.
    pub fn gate(&self, config: &ProviderConfig) -> Option<GateReport> {
        self.stages.providers.gate(config)
    }

    /// The next log record of the engine, if one waits. When records had to be left out, one of them says how many. Also
    /// those of an engine that was shut down.
    pub fn try_log(&self) -> Option<LogRecord> {
        log_channel::next()
    }

    /// Ends everything within the deadline: batches are cancelled, the service stops answering, providers give up, the
    /// store is closed. Outcomes that were not taken are lost; their batches may be repeated. Returns early when
    /// everything ended early. What blocks longer than the deadline is left to the end of the process.
    pub fn shutdown(mut self, deadline: Duration) {
        let end = Instant::now() + deadline;
        let Some(Running {
            batches,
            service,
            listening,
        }) = self.cancel()
        else {
            return;
        };
        let left = || end.saturating_duration_since(Instant::now());
        // Before providers give up, so that no caller takes that for his answer.
        let _aborted = service.block_on(async { tokio::time::timeout(left() / 2, listening).await });
        let providers = self.stages.providers.clone();
        // On a thread that may be left behind: it waits for models that are being loaded.
        let giving_up = service.spawn_blocking(move || providers.shutdown());
        if service
            .block_on(async { tokio::time::timeout(left() / 2, giving_up).await })
            .is_err()
        {
            log::warn!("providers did not end within half of the time for shutting down");
        }
        // Tasks are dropped where they wait; blocking work of the store gets half of the time that is left.
        batches.shutdown_timeout(left() / 2);
        if service
            .block_on(async { tokio::time::timeout(left() / 2, self.stages.collections.close()).await })
            .is_err()
        {
            log::warn!("the vector store did not close in time; it is read again from its log at the next start");
        }
        service.shutdown_timeout(left());
    }

    /// Says to everyone that the end has come, and gives what is to be ended.
    fn cancel(&mut self) -> Option<Running> {
        for batch in self.in_flight.values() {
            batch.cancel.raise();
        }
        let running = self.running.take()?;
        // With the listener its file goes, so that nobody comes any more.
        running.listening.abort();
        Some(running)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(Running { batches, service, .. }) = self.cancel() {
            // Dropping a runtime waits for its blocking work, however long that takes.
            batches.shutdown_background();
            service.shutdown_background();
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Engine")
            .field("batches_in_flight", &self.in_flight.len())
            .finish_non_exhaustive()
    }
}

async fn evict_idle_providers(providers: Arc<dyn Providers>, idle: Duration) {
    loop {
        tokio::time::sleep(EVICTION_INTERVAL).await;
        let providers = providers.clone();
        // Freeing a model takes time.
        if tokio::task::spawn_blocking(move || providers.evict_idle(idle))
            .await
            .is_err()
        {
            log::error!("looking for idle providers failed");
        }
    }
}

/// What a batch takes in memory, about: texts, and vectors and columns as read, as points and on their way to the store.
fn bytes_of(batch: &Batch) -> usize {
    let vector = 3 * size_of::<f32>() * batch.target.collection.dimensions;
    let records = batch.records.iter();
    let records: usize = records
        .map(|record| record.text.len() + vector + 3 * record.fields.size())
        .sum();
    let changes: usize = batch.changes.iter().map(|change| 2 * change.fields.size()).sum();
    records + changes
}

fn io_error(action: &str, source: io::Error) -> StartError {
    StartError::Io {
        action: action.to_owned(),
        source,
    }
}
