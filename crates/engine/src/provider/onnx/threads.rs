//! Threads that run the model: each has a session of its own, all take packs from one channel.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use ort::environment::Environment;
use ort::session::RunOptions;

use crate::cancel::CancelFlag;
use crate::priority::Priority;
use crate::provider::contract::ProviderError;
use crate::provider::onnx::model_file::ModelFile;
use crate::provider::onnx::pack_job::PackJob;
use crate::provider::onnx::session::{ModelSession, configuration};
use crate::provider::onnx::tokenize::TokenizedText;

/// How long a model may take to load and to run the probe. One that never ends, with a loop in it say, is given up.
const LONGEST_START: Duration = Duration::from_secs(300);

/// What every session of a provider is made of.
pub(super) struct Model {
    /// The runtime's environment.
    pub(super) environment: &'static Environment,
    /// `model.onnx`.
    pub(super) file: ModelFile,
    /// What fills the rest of a shorter text's row.
    pub(super) padding_id: u32,
    /// A text that the model must be able to run, as long as the window.
    pub(super) probe: TokenizedText,
}

/// How a group of threads differs from another.
pub(super) struct Group {
    /// Start of the threads' names; Linux shows 15 characters.
    pub(super) name: &'static str,
    /// How many, at least 1.
    pub(super) threads: usize,
    /// What they take on.
    pub(super) priority: Priority,
}

/// A running group of model threads. Dropping it ends them without waiting.
pub(super) struct ModelThreads {
    /// `None` once stopped; threads end when it and all clones are gone.
    packs: Mutex<Option<Sender<PackJob>>>,
    stop: CancelFlag,
    runs: Vec<Arc<RunOptions>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    dimensions: usize,
}

impl ModelThreads {
    /// Starts the threads and waits until each has loaded the model and run the probe: a second or two. `bytes` are those of
    /// the model's file.
    pub(super) fn start(model: &Arc<Model>, bytes: Vec<u8>, group: &Group) -> Result<Self, ProviderError> {
        let count = group.threads.max(1);
        // A pack for each thread to go on with while the next ones are on their way.
        let (packs, queue) = bounded(count);
        let (ready, loaded) = bounded(count);
        let bytes: Arc<[u8]> = bytes.into();
        let mut started = Self {
            packs: Mutex::new(Some(packs)),
            stop: CancelFlag::default(),
            runs: Vec::with_capacity(count),
            threads: Mutex::new(Vec::with_capacity(count)),
            dimensions: 0,
        };
        for number in 0..count {
            let run = RunOptions::new()
                .map_err(|error| ProviderError::Transient(format!("ONNX Runtime gives no run options: {error}")))?;
            let run = Arc::new(run);
            started.runs.push(Arc::clone(&run));
            let thread = ModelThread {
                model: Arc::clone(model),
                priority: group.priority,
                queue: queue.clone(),
                stop: started.stop.clone(),
                run,
            };
            let (ready, bytes) = (ready.clone(), Arc::clone(&bytes));
            let handle = Builder::new()
                .name(format!("{}-{number}", group.name))
                .spawn(move || thread.work(bytes, &ready))
                .map_err(|error| ProviderError::Transient(format!("cannot start a model thread: {error}")))?;
            lock(&started.threads).push(handle);
        }
        drop(ready);
        let deadline = Instant::now() + LONGEST_START;
        for _ in 0..count {
            started.dimensions = loaded.recv_deadline(deadline).map_err(|error| match error {
                RecvTimeoutError::Timeout => configuration(
                    model.file.path(),
                    &format!("was not ready after {} s", LONGEST_START.as_secs()),
                ),
                RecvTimeoutError::Disconnected => configuration(model.file.path(), "made its thread panic"),
            })??;
        }
        Ok(started)
    }

    /// Numbers in one vector, as the probe showed.
    pub(super) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Where packs go; `None` once stopped. Waits when all threads have enough to do.
    pub(super) fn sender(&self) -> Option<Sender<PackJob>> {
        lock(&self.packs).clone()
    }

    /// Ends the threads soon, runs under way included. Packs that were not answered are dropped.
    pub(super) fn stop(&self) {
        self.stop.raise();
        lock(&self.packs).take();
        for run in &self.runs {
            if let Err(error) = run.terminate() {
                log::warn!("a model run cannot be ended early: {error}");
            }
        }
    }

    /// Waits until the threads have ended; call [`Self::stop`] before.
    pub(super) fn join(&self) {
        for thread in std::mem::take(&mut *lock(&self.threads)) {
            if thread.join().is_err() {
                log::error!("a model thread panicked");
            }
        }
    }
}

impl Drop for ModelThreads {
    fn drop(&mut self) {
        self.stop();
    }
}

struct ModelThread {
    model: Arc<Model>,
    priority: Priority,
    queue: Receiver<PackJob>,
    stop: CancelFlag,
    run: Arc<RunOptions>,
}

impl ModelThread {
    fn work(self, bytes: Arc<[u8]>, ready: &Sender<Result<usize, ProviderError>>) {
        self.priority.take_on();
        let loaded = self.load(&bytes);
        // The session has what it needs of them.
        drop(bytes);
        let mut session = match loaded {
            Ok((session, dimensions)) => {
                let _ = ready.send(Ok(dimensions));
                session
            }
            Err(error) => {
                let _ = ready.send(Err(error));
                return;
            }
        };
        for job in &self.queue {
            if self.stop.is_raised() {
                break;
            }
            if !job.interest.is_lost() {
                job.run(&mut session, &self.run, &self.model.probe, &self.stop);
            }
        }
    }

    /// A session and the dimensions of its vectors.
    fn load(&self, bytes: &[u8]) -> Result<(ModelSession, usize), ProviderError> {
        let Model {
            environment,
            file,
            padding_id,
            probe,
        } = &*self.model;
        let path = file.path();
        let mut session = ModelSession::load(environment, path, bytes, *padding_id)?;
        let vectors = session.run(&[probe], &self.run).map_err(|error| {
            if self.stop.is_raised() {
                return ProviderError::Cancelled;
            }
            let problem = format!(
                "does not fit its tokenizer, or not a window of {} tokens: {error}",
                probe.ids.len()
            );
            configuration(path, &problem)
        })?;
        Ok((session, vectors.first().map_or(0, Vec::len)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
