//! Shares a sum out in proportion.

/// Parts of `total` in proportion to the weights, in whole numbers that add up to it. Without any weight nobody gets
/// anything.
pub fn share(total: u64, weights: &[usize]) -> Vec<u64> {
    let sum: u128 = weights.iter().map(|weight| *weight as u128).sum();
    let mut before = (0, 0);
    weights
        .iter()
        .map(|weight| {
            let passed = before.0 + *weight as u128;
            // What all up to here get together, less what those before got.
            let together = (u128::from(total) * passed).checked_div(sum).unwrap_or(0);
            let part = together - before.1;
            before = (passed, together);
            part as u64
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::share;

    proptest! {
        #[test]
        fn parts_add_up_and_are_in_proportion(total in 0u64..10_000_000, weights in proptest::collection::vec(1usize..100_000, 1..300)) {
            let parts = share(total, &weights);
            prop_assert_eq!(parts.iter().sum::<u64>(), total);
            let sum: usize = weights.iter().sum();
            for (part, weight) in parts.iter().zip(&weights) {
                let fair = total as f64 * *weight as f64 / sum as f64;
                prop_assert!((*part as f64 - fair).abs() <= 1.0);
            }
        }
    }

    #[test]
    fn nothing_is_shared_among_nobody() {
        assert!(share(5, &[]).is_empty());
        assert_eq!(share(5, &[0, 0]), [0, 0]);
    }
}
