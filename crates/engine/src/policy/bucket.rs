//! A budget that refills with time: requests or tokens a minute.

use std::time::{Duration, Instant};

/// How much a full bucket holds, in seconds of its rate: bursts stay short, whatever the limit's own window is.
const BURST_SECONDS: f64 = 1.0;

/// A token bucket. Over any time it gives out what a full one holds, what flows in meanwhile, and no more; a single cost
/// larger than a full bucket is given out when it is full, and paid back before anything else is.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Units a second.
    rate: f64,
    /// May be negative: what is still to be paid back.
    level: f64,
    at: Instant,
}

impl Bucket {
    /// A full bucket of so many units a minute.
    pub fn per_minute(units: u32, now: Instant) -> Self {
        let rate = f64::from(units.max(1)) / 60.0;
        Self {
            rate,
            level: capacity(rate),
            at: now,
        }
    }

    /// Changes how fast it refills; what is in it stays.
    pub fn set_per_minute(&mut self, units: u32, now: Instant) {
        self.refill(now);
        self.rate = f64::from(units.max(1)) / 60.0;
        self.level = self.level.min(capacity(self.rate));
    }

    /// How long until so many units can be taken.
    pub fn wait(&self, cost: f64, now: Instant) -> Duration {
        let missing = cost.min(capacity(self.rate)) - self.level_at(now);
        // At most a day: a rate near nothing must not run out of the range of durations.
        Duration::from_secs_f64((missing / self.rate).clamp(0.0, 86_400.0))
    }

    /// Takes so many units. Whoever takes them before [`Bucket::wait`] is over overspends.
    pub fn take(&mut self, cost: f64, now: Instant) {
        self.refill(now);
        self.level -= cost;
    }

    /// Corrects what was taken by estimate: positive gives back, negative takes more.
    pub fn correct(&mut self, units: f64, now: Instant) {
        self.refill(now);
        self.level = (self.level + units).min(capacity(self.rate));
    }

    /// The provider says that no more than so many units are left: others may use the same key.
    pub fn at_most(&mut self, left: f64, now: Instant) {
        self.refill(now);
        self.level = self.level.min(left);
    }

    fn refill(&mut self, now: Instant) {
        self.level = self.level_at(now);
        self.at = self.at.max(now);
    }

    fn level_at(&self, now: Instant) -> f64 {
        let elapsed = now.saturating_duration_since(self.at).as_secs_f64();
        (self.level + elapsed * self.rate).min(capacity(self.rate))
    }
}

/// What a full bucket of that rate holds: at least one, or nothing could be taken at all.
fn capacity(rate: f64) -> f64 {
    (rate * BURST_SECONDS).max(1.0)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_bucket_never_overspends(
            units in 1u32..100_000,
            steps in vec((0u64..5_000, 0.1f64..300.0), 1..200),
        ) {
            let start = Instant::now();
            let mut bucket = Bucket::per_minute(units, start);
            let (mut now, mut spent, mut largest) = (start, 0.0, 0.0_f64);
            for (pause, cost) in steps {
                now += Duration::from_millis(pause);
                if bucket.wait(cost, now).is_zero() {
                    bucket.take(cost, now);
                    spent += cost;
                    largest = largest.max(cost);
                }
                let rate = f64::from(units) / 60.0;
                let allowed = capacity(rate).max(largest) + rate * now.duration_since(start).as_secs_f64();
                prop_assert!(spent <= allowed * (1.0 + 1e-9), "{spent} of {allowed}");
            }
        }

        #[test]
        fn whoever_waits_as_long_as_told_gets_it(units in 1u32..100_000, costs in vec(0.1f64..500.0, 1..50)) {
            let mut now = Instant::now();
            let mut bucket = Bucket::per_minute(units, now);
            for cost in costs {
                now += bucket.wait(cost, now) + Duration::from_micros(1);
                prop_assert!(bucket.wait(cost, now) < Duration::from_micros(10));
                bucket.take(cost, now);
            }
        }
    }

    #[test]
    fn a_full_bucket_holds_a_second_of_its_rate() {
        let now = Instant::now();
        let mut bucket = Bucket::per_minute(600, now);
        assert_eq!(bucket.wait(10.0, now), Duration::ZERO);
        bucket.take(10.0, now);
        assert_eq!(bucket.wait(1.0, now), Duration::from_millis(100));
        bucket.correct(1.0, now);
        assert_eq!(bucket.wait(1.0, now), Duration::ZERO);
        bucket.at_most(-9.0, now);
        assert_eq!(bucket.wait(1.0, now), Duration::from_secs(1));
    }
}
