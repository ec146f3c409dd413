//! Decides which texts go into the next request, so that a text the provider refuses costs only itself.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Instant;

/// Texts that still have to be sent, as ranges of their positions. The caller sends what [`Bisection::next`] gives and
/// tells of each refusal; a part that is not refused is done.
#[derive(Debug)]
pub(super) struct Bisection {
    pending: VecDeque<Part>,
}

/// Texts of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Their positions.
    pub(super) range: Range<usize>,
    /// When the larger part was refused that it is a half of.
    pub(super) suspected: Option<Instant>,
}

impl Bisection {
    /// All texts of a request.
    pub(super) fn new(range: Range<usize>) -> Self {
        let pending = (!range.is_empty()).then_some(Part { range, suspected: None });
        Self {
            pending: pending.into_iter().collect(),
        }
    }

    /// The texts of the next request; `None` when all are done.
    pub(super) fn next(&mut self) -> Option<Part> {
        self.pending.pop_front()
    }

    /// The provider refused this part. Gives the position of a text that was refused alone; otherwise the halves are sent
    /// next.
    pub(super) fn refused(&mut self, range: Range<usize>, now: Instant) -> Option<usize> {
        if range.len() <= 1 {
            return Some(range.start);
        }
        let middle = range.start + range.len() / 2;
        for half in [middle..range.end, range.start..middle] {
            self.pending.push_front(Part {
                range: half,
                suspected: Some(now),
            });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_text_is_accepted_once_or_refused_alone(
            count in 0usize..300,
            bad in proptest::collection::btree_set(0usize..300, 0..6),
        ) {
            let bad: BTreeSet<usize> = bad.into_iter().filter(|position| *position < count).collect();
            let mut bisection = Bisection::new(0..count);
            let (mut accepted, mut alone, mut requests) = (Vec::new(), BTreeSet::new(), 0);
            while let Some(Part { range, .. }) = bisection.next() {
                requests += 1;
                prop_assert!(!range.is_empty());
                if range.clone().any(|position| bad.contains(&position)) {
                    alone.extend(bisection.refused(range, Instant::now()));
                } else {
                    accepted.extend(range);
                }
            }
            prop_assert_eq!(&alone, &bad);
            let good: Vec<usize> = (0..count).filter(|position| !bad.contains(position)).collect();
            prop_assert_eq!(accepted, good, "in order, each once");
            // Each bad text halves its request at most ceil(log2(count)) times, two requests each time.
            let halvings = count.next_power_of_two().trailing_zeros() as usize;
            prop_assert!(requests <= 1 + bad.len() * 2 * halvings);
        }
    }
}
