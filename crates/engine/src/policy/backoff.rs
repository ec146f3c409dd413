//! How long to wait before a repetition: exponential back-off with full jitter.

use std::time::Duration;

/// Between zero and `base` × 2^(attempt − 1), at most `cap`. `chance` is from 0 to 1 and decides where in between:
/// everybody waits for a different time, so that they do not come back together.
pub fn delay(attempt: u32, base: Duration, cap: Duration, chance: f64) -> Duration {
    let doublings = attempt.saturating_sub(1).min(31);
    let longest = base.saturating_mul(1 << doublings).min(cap);
    longest.mul_f64(chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::delay;

    proptest! {
        #[test]
        fn a_delay_is_within_its_bounds(attempt in 0..u32::MAX, base in 1..10_000_u64, cap in 1..1_000_000_u64, chance in 0.0..=1.0) {
            let (base, cap) = (Duration::from_millis(base), Duration::from_millis(cap));
            prop_assert!(delay(attempt, base, cap, chance) <= cap);
            prop_assert!(delay(1, base, cap, chance) <= base.min(cap));
        }

        #[test]
        fn the_longest_delay_doubles_until_the_cap(attempt in 1..20_u32) {
            let base = Duration::from_millis(100);
            let cap = Duration::from_secs(60);
            let doubled = delay(attempt, base, cap, 1.0).saturating_mul(2).min(cap);
            prop_assert_eq!(delay(attempt + 1, base, cap, 1.0), doubled);
        }
    }
}
