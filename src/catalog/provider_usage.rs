//! What providers did so far, and how they were when they were looked at last.

use std::time::Duration;

use vb_engine::provider::registry::ProviderReport;

use super::installation::Installation;
use crate::error::Result;
use crate::pg::spi;

/// Adds what a provider did since the last report.
pub(crate) fn add(installation: &Installation, report: &ProviderReport) -> Result<()> {
    let usage = report.usage;
    let latency = |part: fn((Duration, Duration)) -> Duration| report.latencies.map(|both| part(both).as_secs_f64());
    let gate = report.gate.as_ref();
    spi::run(
        &installation.sql(include_str!("../../sql/query/provider_usage_add.sql")),
        &[
            report.name.as_str().into(),
            (usage.requests as i64).into(),
            (usage.errors as i64).into(),
            (usage.throttled as i64).into(),
            (usage.texts as i64).into(),
            (usage.tokens as i64).into(),
            usage.busy.as_secs_f64().into(),
            latency(|(middle, _)| middle).into(),
            latency(|(_, high)| high).into(),
            gate.and_then(|gate| i32::try_from(gate.concurrency).ok()).into(),
            gate.map(|gate| gate.breaker).into(),
            gate.and_then(|gate| gate.trouble.as_deref()).into(),
        ],
    )
    .map(|_| ())
}
