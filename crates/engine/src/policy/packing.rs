//! Packs texts of different lengths into tensors with little padding.
//!
//! A model sees a pack as a rectangle: every text costs as much as the longest one. Sorting by length first keeps that
//! waste small: below `budget × ln(longest / shortest)` tokens for a whole request, however many texts it has.

/// How large a pack may grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackLimits {
    /// Tokens in a pack, padding included: texts × longest text. A single text may be longer.
    pub padded_tokens: usize,
    /// Texts in a pack, at least 1.
    pub texts: usize,
}

/// Positions in `lengths`, packed: longest texts first, so that the last packs to run are the short ones and all
/// threads finish close together. Every position is in exactly one pack and no pack is empty.
pub fn pack(lengths: &[usize], limits: PackLimits) -> Vec<Vec<usize>> {
    let mut positions: Vec<usize> = (0..lengths.len()).collect();
    // Stable, so that the same texts always share a pack.
    positions.sort_by_key(|&position| std::cmp::Reverse(lengths[position]));

    let mut packs = Vec::new();
    let mut rest = positions.as_slice();
    while let Some(&longest) = rest.first() {
        let fitting = limits.padded_tokens / lengths[longest].max(1);
        let (pack, after) = rest.split_at(fitting.min(limits.texts).clamp(1, rest.len()));
        packs.push(pack.to_vec());
        rest = after;
    }
    packs
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn padded(lengths: &[usize], pack: &[usize]) -> usize {
        pack.len() * pack.iter().map(|&position| lengths[position]).max().unwrap_or(0)
    }

    fn limits() -> impl Strategy<Value = PackLimits> {
        (0usize..4000, 1usize..100).prop_map(|(padded_tokens, texts)| PackLimits { padded_tokens, texts })
    }

    proptest! {
        #[test]
        fn no_text_is_lost_or_doubled(lengths in vec(0usize..600, 0..300), limits in limits()) {
            let packs = pack(&lengths, limits);
            prop_assert!(packs.iter().all(|pack| !pack.is_empty()));
            let mut positions: Vec<usize> = packs.concat();
            positions.sort_unstable();
            prop_assert_eq!(positions, (0..lengths.len()).collect::<Vec<_>>());
        }

        #[test]
        fn a_pack_keeps_the_limits_unless_a_single_text_exceeds_them(
            lengths in vec(1usize..600, 0..300),
            limits in limits(),
        ) {
            for pack in pack(&lengths, limits) {
                prop_assert!(pack.len() <= limits.texts);
                prop_assert!(pack.len() == 1 || padded(&lengths, &pack) <= limits.padded_tokens);
            }
        }

        #[test]
        fn padding_stays_below_the_bound_however_many_texts(
            lengths in vec(2usize..=256, 1..600),
            padded_tokens in 256usize..4000,
        ) {
            let packs = pack(&lengths, PackLimits { padded_tokens, texts: usize::MAX });
            let waste = packs.iter().map(|pack| padded(&lengths, pack)).sum::<usize>() - lengths.iter().sum::<usize>();
            let longest = lengths.iter().copied().max().unwrap_or(1) as f64;
            let shortest = lengths.iter().copied().min().unwrap_or(1) as f64;
            prop_assert!(waste as f64 <= padded_tokens as f64 * (longest / shortest).ln() + 1e-6);
        }

        #[test]
        fn the_longest_texts_go_first(lengths in vec(0usize..600, 0..300), limits in limits()) {
            let positions = pack(&lengths, limits).concat();
            prop_assert!(positions.iter().map(|&position| lengths[position]).is_sorted_by(|a, b| a >= b));
        }
    }
}
