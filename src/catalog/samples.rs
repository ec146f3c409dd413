//! What jobs did in a moment, for charts. Fine for the last hour, coarser with age, so that a job that works for weeks has
//! some thousand samples and no more.

use std::time::Duration;

use super::installation::Installation;
use crate::error::Result;
use crate::pg::spi;

/// From this age on there is one sample in so many seconds.
const AGES: [(Duration, i32); 3] = [
    (Duration::from_secs(3_600), 60),
    (Duration::from_secs(86_400), 600),
    (Duration::from_secs(7 * 86_400), 3_600),
];

/// What a job did in a span of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    /// The job.
    pub(crate) job: i64,
    /// The span.
    pub(crate) covers: Duration,
    /// Records that were done, with those that failed.
    pub(crate) records: i64,
    /// Records that failed.
    pub(crate) failed: i64,
    /// Tokens that the provider saw.
    pub(crate) tokens: i64,
    /// Batches that ended.
    pub(crate) batches: i32,
    /// How long the middle one of them took, and the slowest but five in a hundred.
    pub(crate) latencies: Option<(Duration, Duration)>,
}

/// Writes samples down; gives the jobs whose were, others are locked by somebody at the moment or gone.
pub(crate) fn add(installation: &Installation, samples: &[Sample]) -> Result<Vec<i64>> {
    let each = samples.iter();
    let latency = |part: fn((Duration, Duration)) -> Duration| -> Vec<Option<f64>> {
        let each = samples.iter();
        each.map(|sample| sample.latencies.map(|both| part(both).as_secs_f64()))
            .collect()
    };
    spi::rows(
        &installation.sql(include_str!("../../sql/query/samples_add.sql")),
        &[
            each.clone().map(|sample| sample.job).collect::<Vec<_>>().into(),
            each.clone()
                .map(|sample| sample.covers.as_secs_f64())
                .collect::<Vec<_>>()
                .into(),
            each.clone().map(|sample| sample.records).collect::<Vec<_>>().into(),
            each.clone().map(|sample| sample.failed).collect::<Vec<_>>().into(),
            each.clone().map(|sample| sample.tokens).collect::<Vec<_>>().into(),
            each.map(|sample| sample.batches).collect::<Vec<_>>().into(),
            latency(|(middle, _)| middle).into(),
            latency(|(_, high)| high).into(),
        ],
        |row| row.get(1),
    )
}

/// Makes fewer of those that have aged, and deletes those older than jobs are kept.
pub(crate) fn thin(installation: &Installation, retention: Option<Duration>) -> Result<()> {
    if let Some(retention) = retention {
        spi::run(
            &installation.sql(include_str!("../../sql/query/samples_retire.sql")),
            &[retention.as_secs_f64().into()],
        )?;
    }
    // The oldest first: they would be merged twice otherwise.
    for (age, resolution) in AGES.into_iter().rev() {
        spi::run(
            &installation.sql(include_str!("../../sql/query/samples_merge.sql")),
            &[age.as_secs_f64().into(), resolution.into()],
        )?;
    }
    Ok(())
}
