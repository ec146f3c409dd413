//! What a job that follows changes is told of.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use crate::catalog::changes::Pending;

/// How long a job that follows changes stays at hand without any.
pub(crate) const UNTIL_IDLE: Duration = Duration::from_secs(10);

/// Changes that a job is to look at.
#[derive(Debug)]
pub(crate) struct Following {
    /// Records to look at, in order and each once.
    queue: VecDeque<String>,
    queued: HashSet<String>,
    /// The number of the change by which everything is to be looked at, if there is one.
    pub(crate) everything: Option<i64>,
    /// The number of that change for which a pass was made last.
    pub(crate) passed: Option<i64>,
    /// When it was told of something last, or was busy.
    pub(super) busy_at: Instant,
}

impl Following {
    pub(super) fn new(pending: Pending, now: Instant) -> Self {
        let mut following = Self {
            queue: VecDeque::new(),
            queued: HashSet::new(),
            everything: pending.everything,
            passed: None,
            busy_at: now,
        };
        following.add(pending.record_ids, now);
        following
    }

    /// More records to look at.
    pub(crate) fn add(&mut self, record_ids: Vec<String>, now: Instant) {
        self.busy_at = now;
        for record_id in record_ids {
            if self.queued.insert(record_id.clone()) {
                self.queue.push_back(record_id);
            }
        }
    }

    /// How many are to be looked at one by one.
    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    /// They are looked at with everything else instead.
    pub(crate) fn fold(&mut self, number: Option<i64>) {
        self.queue.clear();
        self.queued.clear();
        self.everything = number;
    }

    pub(super) fn take(&mut self, most: usize) -> Vec<String> {
        let count = self.queue.len().min(most);
        let taken: Vec<String> = self.queue.drain(..count).collect();
        for record_id in &taken {
            self.queued.remove(record_id);
        }
        taken
    }
}
