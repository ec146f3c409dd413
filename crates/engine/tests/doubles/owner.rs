//! An owner of an engine, and the batches it submits.

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use uuid::Uuid;
use vb_engine::batch::{Batch, BatchResult, Failure, Outcome, Record, Target};
use vb_engine::cancel::CancelFlag;
use vb_engine::fields::Fields;
use vb_engine::pipeline::config::{EngineConfig, StartError, StoresConfig};
use vb_engine::pipeline::engine::Engine;
use vb_engine::policy::chunking::Chunking;
use vb_engine::provider::config::ProviderConfig;
use vb_engine::service::client::Client;
use vb_engine::store::contract::CollectionSpec;
use vb_engine::store::place::{Place, StoreKind};

use super::gate::PATIENCE;
use super::provider::{DIMENSIONS, Only, ScriptedProvider, config};
use super::store::MemoryStore;

/// Name of the collection that batches go to.
pub(crate) const COLLECTION: &str = "client_7_issues";

/// An engine over doubles, and what its owner holds.
pub(crate) struct Owner {
    pub engine: Engine,
    pub store: Arc<MemoryStore>,
    pub provider: Arc<ScriptedProvider>,
    pub socket: PathBuf,
    wake: UnixStream,
    _folder: TempDir,
}

impl Owner {
    /// An engine with an empty store and this provider.
    pub(crate) fn start(provider: ScriptedProvider) -> Self {
        Self::start_with(provider, |_| ())
    }

    /// The same with a configuration that the test changes.
    pub(crate) fn start_with(provider: ScriptedProvider, change: impl FnOnce(&mut EngineConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("service/socket");
        let (wake, config) = engine_config(socket, change);
        let socket = config.socket.clone();
        let (store, provider) = (Arc::new(MemoryStore::default()), Arc::new(provider));
        let engine = Engine::start_with(config, store.clone(), Arc::new(Only(provider.clone()))).unwrap();
        Self {
            engine,
            store,
            provider,
            socket,
            wake,
            _folder: folder,
        }
    }

    /// The next outcome; waits for the engine to wake its owner, as the worker does.
    pub(crate) fn outcome(&mut self) -> Outcome {
        loop {
            if let Some(outcome) = self.engine.try_outcome() {
                return outcome;
            }
            assert!(self.wake.read(&mut [0; 16]).expect("no outcome came") > 0);
        }
    }

    /// Submits the batch and waits for its outcome.
    pub(crate) fn run(&mut self, batch: Batch) -> BatchResult {
        let id = batch.id;
        self.engine.submit(batch);
        let outcome = self.outcome();
        assert_eq!(outcome.batch_id, id);
        outcome.result
    }

    /// Submits a batch that must fail as a whole.
    pub(crate) fn failure(&mut self, batch: Batch) -> Failure {
        match self.run(batch) {
            BatchResult::Failed(failure) => failure,
            other => panic!("should have failed: {other:?}"),
        }
    }

    /// A new connection to the service.
    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.socket).unwrap()
    }
}

/// Tries to start an engine on that socket.
pub(crate) fn start_on(socket: PathBuf) -> Result<Engine, StartError> {
    let (_wake, config) = engine_config(socket, |_| ());
    Engine::start_with(
        config,
        Arc::<MemoryStore>::default(),
        Arc::new(Only(Arc::new(ScriptedProvider::sound()))),
    )
}

/// A configuration for that socket, and the end of the wake socket that its owner waits at.
pub(crate) fn engine_config(socket: PathBuf, change: impl FnOnce(&mut EngineConfig)) -> (UnixStream, EngineConfig) {
    let (wake, engines_end) = UnixStream::pair().unwrap();
    wake.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut config = EngineConfig {
        stores: StoresConfig {
            directory: "unused".into(),
            qdrant: Err("there is none".to_owned()),
        },
        socket,
        wake: engines_end,
        nice: 3,
        request_timeout: PATIENCE,
        provider_idle: Duration::from_secs(600),
        log_level: log::LevelFilter::Info,
    };
    change(&mut config);
    (wake, config)
}

/// A batch with one record for each text; keys are `r0`, `r1` and so on.
pub(crate) fn batch<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Batch {
    let texts = texts.into_iter().enumerate();
    Batch {
        id: 11,
        job_id: 5,
        target: target(None),
        provider: Arc::new(config()),
        records: texts
            .map(|(number, text)| record(&format!("r{number}"), text.as_ref()))
            .collect(),
        changes: Vec::new(),
        deletes: Vec::new(),
        last_attempt: false,
        is_change: false,
        purse: Arc::default(),
        cancel: CancelFlag::default(),
    }
}

/// A record that has no points yet.
pub(crate) fn record(record_id: &str, text: &str) -> Record {
    Record {
        record_id: record_id.into(),
        text: text.into(),
        content_hash: [0xab; 32],
        fields: Fields::default(),
        present_points: Vec::new(),
    }
}

/// The target of all batches.
pub(crate) fn target(chunking: Option<Chunking>) -> Arc<Target> {
    Arc::new(Target {
        store: StoreKind::Embedded,
        collection: CollectionSpec {
            name: COLLECTION.into(),
            dimensions: DIMENSIONS,
            is_shared: false,
            fields: Vec::new(),
        },
        namespace: Uuid::from_u128(42),
        client_id: 7,
        source_oid: 16_384,
        source: "issues".into(),
        vector_type: "content".into(),
        chunking,
    })
}

/// Where a collection's points are.
pub(crate) fn place(collection: &str) -> Place {
    Place::whole(StoreKind::Embedded, collection)
}

/// A provider's configuration that is changed.
pub(crate) fn changed(batch: &mut Batch, change: impl FnOnce(&mut ProviderConfig)) {
    change(Arc::make_mut(&mut batch.provider));
}
