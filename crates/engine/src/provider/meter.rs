//! What a provider did and how fast: counted call by call, read now and then.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Latencies kept for percentiles.
const KEPT: usize = 256;

/// Counts the calls of one provider.
#[derive(Debug, Default)]
pub struct Meter {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    usage: Usage,
    latencies: VecDeque<Duration>,
    under_way: usize,
    /// Since when at least one call is under way.
    busy_since: Option<Instant>,
}

/// What a provider did since it was read last.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Calls made.
    pub requests: u64,
    /// Calls that failed, throttled ones not among them.
    pub errors: u64,
    /// Calls that were refused for coming too soon.
    pub throttled: u64,
    /// Texts embedded.
    pub texts: u64,
    /// Tokens paid for.
    pub tokens: u64,
    /// Time in which at least one call was under way.
    pub busy: Duration,
}

impl Usage {
    /// Whether nothing happened.
    pub fn is_empty(&self) -> bool {
        self.requests == 0
    }

    /// Both together.
    pub fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.errors += other.errors;
        self.throttled += other.throttled;
        self.texts += other.texts;
        self.tokens = self.tokens.saturating_add(other.tokens);
        self.busy += other.busy;
    }
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// With so many embeddings.
    Well { texts: usize },
    /// Refused for coming too soon.
    Throttled,
    /// Otherwise.
    Badly,
}

impl Meter {
    /// A call begins. What is returned has to be told how it ended, or counts as never made.
    pub(super) fn begin(&self) -> Call<'_> {
        let now = Instant::now();
        let mut counts = self.counts.lock();
        counts.under_way += 1;
        counts.busy_since.get_or_insert(now);
        Call {
            meter: self,
            start: now,
            ended: None,
        }
    }

    /// What happened since this was asked last.
    pub fn take(&self) -> Usage {
        let mut counts = self.counts.lock();
        counts.settle_busy(Instant::now());
        if counts.usage.is_empty() {
            // Time in calls that have not ended stays with them.
            return Usage::default();
        }
        std::mem::take(&mut counts.usage)
    }

    /// Latencies of the last calls that ended well: the middle one, and one that 95 of 100 do not exceed.
    pub fn latencies(&self) -> Option<(Duration, Duration)> {
        let counts = self.counts.lock();
        let mut sorted: Vec<Duration> = counts.latencies.iter().copied().collect();
        drop(counts);
        sorted.sort_unstable();
        let at = |share: f64| {
            sorted
                .get(((sorted.len() as f64 - 1.0) * share).round() as usize)
                .copied()
        };
        Some((at(0.5)?, at(0.95)?))
    }
}

impl Counts {
    fn settle_busy(&mut self, now: Instant) {
        if let Some(since) = self.busy_since {
            self.usage.busy += now.saturating_duration_since(since);
            self.busy_since = (self.under_way > 0).then_some(now);
        }
    }
}

/// A call under way.
pub(super) struct Call<'a> {
    meter: &'a Meter,
    start: Instant,
    ended: Option<(Ended, u64)>,
}

impl Call<'_> {
    /// It ended, at the cost of so many tokens.
    pub(super) fn ended(mut self, how: Ended, tokens: u64) {
        self.ended = Some((how, tokens));
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let now = Instant::now();
        let mut counts = self.meter.counts.lock();
        counts.under_way = counts.under_way.saturating_sub(1);
        counts.settle_busy(now);
        let Some((how, tokens)) = self.ended else { return };
        counts.usage.requests += 1;
        counts.usage.tokens = counts.usage.tokens.saturating_add(tokens);
        match how {
            Ended::Well { texts } => {
                counts.usage.texts += texts as u64;
                if counts.latencies.len() == KEPT {
                    counts.latencies.pop_front();
                }
                counts.latencies.push_back(now - self.start);
            }
            Ended::Throttled => counts.usage.throttled += 1,
            Ended::Badly => counts.usage.errors += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_by_how_they_ended_and_only_once() {
        let meter = Meter::default();
        meter.begin().ended(Ended::Well { texts: 3 }, 30);
        meter.begin().ended(Ended::Badly, 10);
        meter.begin().ended(Ended::Throttled, 0);
        drop(meter.begin());
        let usage = meter.take();
        let counted = (usage.requests, usage.errors, usage.throttled, usage.texts, usage.tokens);
        assert_eq!(counted, (3, 1, 1, 3, 40));
        assert!(meter.take().is_empty());
        assert!(meter.latencies().is_some(), "latencies stay");
    }

    #[test]
    fn time_with_several_calls_under_way_counts_once() {
        let meter = Meter::default();
        let start = Instant::now();
        let (one, other) = (meter.begin(), meter.begin());
        std::thread::sleep(Duration::from_millis(20));
        one.ended(Ended::Well { texts: 1 }, 1);
        other.ended(Ended::Well { texts: 1 }, 1);
        let busy = meter.take().busy;
        assert!(busy >= Duration::from_millis(20) && busy <= start.elapsed(), "{busy:?}");
    }
}
