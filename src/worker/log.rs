//! Brings the engine's log records to the server's log, on the main thread.

use log::Level;
use vb_engine::pipeline::engine::Engine;

/// Writes all records that wait.
pub(crate) fn forward(engine: &Engine) {
    while let Some(record) = engine.try_log() {
        match record.level {
            Level::Error | Level::Warn => pgrx::warning!("{}: {}", record.target, record.message),
            Level::Info => pgrx::log!("{}: {}", record.target, record.message),
            Level::Debug | Level::Trace => pgrx::debug1!("{}: {}", record.target, record.message),
        }
    }
}
