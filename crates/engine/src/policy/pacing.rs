//! Bounds on records a second: of each client, where it has one, and of all backfills together.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::bucket::Bucket;

/// Who is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bounded {
    /// A client, with its backfills and its changes.
    Client(i64),
    /// All backfills.
    Backfills,
}

/// How many records may still be begun.
#[derive(Debug, Default)]
pub struct Pacing {
    buckets: HashMap<Bounded, (u32, Bucket)>,
}

impl Pacing {
    /// Takes over the bounds as they are now, in records a second.
    pub fn set(&mut self, bounds: &[(Bounded, u32)], now: Instant) {
        self.buckets
            .retain(|bounded, _| bounds.iter().any(|(other, _)| other == bounded));
        for (bounded, rate) in bounds {
            let a_minute = rate.saturating_mul(60);
            let (known, bucket) = self
                .buckets
                .entry(*bounded)
                .or_insert_with(|| (*rate, Bucket::per_minute(a_minute, now)));
            if known != rate {
                *known = *rate;
                bucket.set_per_minute(a_minute, now);
            }
        }
    }

    /// How long these have to wait until a record may be begun.
    pub fn wait(&self, bounded: &[Bounded], now: Instant) -> Duration {
        let of = |one: &Bounded| self.buckets.get(one).map(|(_, bucket)| bucket.wait(1.0, now));
        bounded.iter().filter_map(of).max().unwrap_or_default()
    }

    /// The most records that these may begin at a time: those of a second.
    pub fn most(&self, bounded: &[Bounded]) -> usize {
        let of = |one: &Bounded| self.buckets.get(one).map(|(rate, _)| *rate as usize);
        bounded.iter().filter_map(of).min().unwrap_or(usize::MAX).max(1)
    }

    /// These have begun so many records.
    pub fn take(&mut self, bounded: &[Bounded], records: usize, now: Instant) {
        for one in bounded {
            if let Some((_, bucket)) = self.buckets.get_mut(one) {
                bucket.take(records as f64, now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Bounded, Pacing};

    #[test]
    fn a_bounded_client_begins_no_more_than_it_may_and_others_are_free() {
        let start = Instant::now();
        let (slow, free) = (
            [Bounded::Client(1), Bounded::Backfills],
            [Bounded::Client(2), Bounded::Backfills],
        );
        let mut pacing = Pacing::default();
        pacing.set(&[(Bounded::Client(1), 10)], start);
        let mut begun = 0;
        for step in 0..1_000 {
            let now = start + Duration::from_millis(10 * step);
            assert!(pacing.wait(&free, now).is_zero());
            if pacing.wait(&slow, now).is_zero() {
                let records = pacing.most(&slow).min(4);
                pacing.take(&slow, records, now);
                begun += records;
            }
        }
        assert!((100..=115).contains(&begun), "{begun} records in ten seconds");
    }
}
