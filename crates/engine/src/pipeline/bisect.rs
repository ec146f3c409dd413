//! Decides which texts go into the next request, so that a text the provider refuses costs only itself.

use std::collections::VecDeque;
use std::ops::Range;

/// Texts that still have to be sent, as ranges of their positions. The caller sends what [`Bisection::next`] gives and
/// tells of each refusal; a range that is not refused is done.
#[derive(Debug)]
pub(super) struct Bisection {
    pending: VecDeque<Range<usize>>,
}

impl Bisection {
    /// All of `count` texts, at most `most` in a request.
    pub(super) fn new(count: usize, most: usize) -> Self {
        let most = most.max(1);
        let pending = (0..count)
            .step_by(most)
            .map(|start| start..count.min(start + most))
            .collect();
        Self { pending }
    }

    /// The texts of the next request; `None` when all are done.
    pub(super) fn next(&mut self) -> Option<Range<usize>> {
        self.pending.pop_front()
    }

    /// The provider refused these texts. Gives the position of a text that was refused alone; otherwise the halves are
    /// sent next.
    pub(super) fn refused(&mut self, range: Range<usize>) -> Option<usize> {
        if range.len() <= 1 {
            return Some(range.start);
        }
        let middle = range.start + range.len() / 2;
        self.pending.push_front(middle..range.end);
        self.pending.push_front(range.start..middle);
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
            most in 1usize..70,
            bad in proptest::collection::btree_set(0usize..300, 0..6),
        ) {
            let bad: BTreeSet<usize> = bad.into_iter().filter(|position| *position < count).collect();
            let mut bisection = Bisection::new(count, most);
            let (mut accepted, mut alone, mut requests) = (Vec::new(), BTreeSet::new(), 0);
            while let Some(range) = bisection.next() {
                requests += 1;
                prop_assert!(!range.is_empty() && range.len() <= most);
                if range.clone().any(|position| bad.contains(&position)) {
                    alone.extend(bisection.refused(range));
                } else {
                    accepted.extend(range);
                }
            }
            prop_assert_eq!(&alone, &bad);
            let good: Vec<usize> = (0..count).filter(|position| !bad.contains(position)).collect();
            prop_assert_eq!(accepted, good, "in order, each once");
            // Each bad text halves its request at most ceil(log2(most)) times, two requests each time.
            let halvings = most.next_power_of_two().trailing_zeros() as usize;
            prop_assert!(requests <= count.div_ceil(most) + bad.len() * 2 * halvings);
        }
    }
}
