//! How an endpoint is, for whoever asks.

use std::time::Duration;

/// What can be seen of a gate.
#[derive(Debug, Clone, PartialEq)]
pub struct GateReport {
    /// Requests that may be under way at the same time.
    pub concurrency: usize,
    /// State of the circuit breaker: `closed`, `open` or `half-open`.
    pub breaker: &'static str,
    /// How long ago it failed last.
    pub last_failure: Option<Duration>,
    /// How long the provider is left alone from now.
    pub pause: Option<Duration>,
    /// What it said when it failed last, if it did not answer since.
    pub trouble: Option<String>,
}
