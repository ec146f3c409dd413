//! Makes one ranking of several: reciprocal rank fusion. What scores of different searches are worth beside each other nobody
//! knows, so only the places count.

use std::collections::HashMap;
use std::hash::Hash;

/// How little the first places differ: 60 as in Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and
/// individual Rank Learning Methods" (2009).
const SMOOTHING: f32 = 60.0;

/// The best of several rankings together, best first, with their scores: the sum of 1 / (60 + place) over the rankings in
/// which one is. Of those with the same score the one that comes first in the first ranking.
pub fn fuse<T: Eq + Hash + Clone>(rankings: &[Vec<T>], limit: usize) -> Vec<(T, f32)> {
    let mut positions: HashMap<&T, usize> = HashMap::new();
    let mut fused: Vec<(T, f32)> = Vec::new();
    for ranking in rankings {
        for (place, item) in (1u16..).zip(ranking) {
            let position = *positions.entry(item).or_insert_with(|| {
                fused.push((item.clone(), 0.0));
                fused.len() - 1
            });
            fused[position].1 += 1.0 / (SMOOTHING + f32::from(place));
        }
    }
    // A stable sort keeps the order in which they were met.
    fused.sort_by(|a, b| b.1.total_cmp(&a.1));
    fused.truncate(limit);
    fused
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_both_rankings_know_comes_before_what_one_knows() {
        let fused = fuse(&[vec!["a", "b", "c"], vec!["d", "c", "e"]], 10);
        let names: Vec<&str> = fused.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["c", "a", "d", "b", "e"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_doubled_and_the_best_come_first(
            first in proptest::collection::hash_set(0..50_u32, 0..30),
            second in proptest::collection::hash_set(0..50_u32, 0..30),
            limit in 0..80_usize,
        ) {
            let all: HashSet<u32> = first.union(&second).copied().collect();
            let rankings = [first.into_iter().collect(), second.into_iter().collect::<Vec<u32>>()];
            let fused = fuse(&rankings, limit);
            prop_assert_eq!(fused.len(), all.len().min(limit));
            let distinct: HashSet<u32> = fused.iter().map(|(item, _)| *item).collect();
            prop_assert_eq!(distinct.len(), fused.len());
            prop_assert!(fused.is_sorted_by(|a, b| a.1 >= b.1));
        }

        #[test]
        fn one_ranking_stays_as_it_is(ranking in proptest::collection::vec(0..1_000_000_u32, 0..50)) {
            let mut distinct = ranking;
            distinct.sort_unstable();
            distinct.dedup();
            let fused: Vec<u32> = fuse(std::slice::from_ref(&distinct), 100).into_iter().map(|(item, _)| item).collect();
            prop_assert_eq!(fused, distinct);
        }
    }
}
