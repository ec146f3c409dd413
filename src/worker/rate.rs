//! How fast a job is now.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Speed is measured over this much of the recent past.
const WINDOW: Duration = Duration::from_secs(15);

/// Records embedded in the recent past.
#[derive(Debug)]
pub(crate) struct Rate {
    started: Instant,
    recent: VecDeque<(Instant, u64)>,
}

impl Rate {
    /// Starts measuring.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            started: now,
            recent: VecDeque::new(),
        }
    }

    /// Notes records that were just committed.
    pub(crate) fn add(&mut self, now: Instant, records: u64) {
        self.recent.push_back((now, records));
        while self.recent.front().is_some_and(|(at, _)| is_past(*at, now)) {
            self.recent.pop_front();
        }
    }

    /// Records a second, with those that are about to be committed.
    pub(crate) fn with(&self, now: Instant, records: u64) -> f32 {
        let elapsed = now.duration_since(self.started).min(WINDOW).as_secs_f32().max(0.001);
        let recent = self.recent.iter().filter(|(at, _)| !is_past(*at, now));
        (records + recent.map(|(_, records)| records).sum::<u64>()) as f32 / elapsed
    }
}

fn is_past(at: Instant, now: Instant) -> bool {
    now.duration_since(at) > WINDOW
}
