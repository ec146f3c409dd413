//! The engine's threads: two for batches, which give way to everything else, and one for searches, which does not.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// Threads that drive batches. They mostly wait: models and stores compute on other threads.
const BATCH_THREADS: usize = 2;

/// The lowest priority there is.
const NICEST: i32 = 19;

/// The niceness of this process with `nice` added to it.
pub(super) fn niceness(nice: i32) -> io::Result<i32> {
    Ok(rustix::process::getpriority_process(None)?
        .saturating_add(nice.max(0))
        .min(NICEST))
}

/// Threads for batches, at that niceness, those for blocking work too.
pub(super) fn for_batches(niceness: i32) -> io::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    builder
        .worker_threads(BATCH_THREADS)
        .thread_name("vb-engine")
        .enable_all();
    // On Linux a niceness belongs to a thread; elsewhere this would slow the whole process down.
    if cfg!(target_os = "linux") {
        builder.on_thread_start(move || {
            if let Err(error) = rustix::process::setpriority_process(None, niceness) {
                log::warn!("could not lower the priority of an engine thread to {niceness}: {error}");
            }
        });
    }
    builder.build()
}

/// A thread for the search service, and as many for blocking work as so many requests can need at the same time.
pub(super) fn for_service(requests: usize) -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(1)
        // A request blocks at one place at a time; batches have their models loaded here as well.
        .max_blocking_threads(2 * requests)
        .thread_name("vb-service")
        .enable_all()
        .build()
}
