//! How many requests a provider is sent at the same time: one more after each round without back-pressure, a tenth less
//! when it pushes back. What was too many once is tried again only after many rounds, so that few requests are refused.

/// Requests at the same time to begin with.
const FIRST: f64 = 4.0;

/// The most requests at the same time.
const MOST: f64 = 64.0;

/// Rounds before as many requests are tried again as were too many.
const ROUNDS_BELOW: usize = 50;

/// What is left of the limit when the provider pushes back.
const BACK: f64 = 0.9;

/// A limit that adapts itself. A round is as many answers as the limit has requests.
#[derive(Debug, Clone)]
pub struct Concurrency {
    limit: f64,
    answers: usize,
    /// Rounds since the provider pushed back, and the limit that was too much then.
    calm_rounds: usize,
    too_many: Option<usize>,
    /// The most requests under way at the same time in this round: a limit that nobody needs does not grow.
    reached: usize,
    /// As many at the same time were answered well for a round.
    proven: usize,
}

impl Default for Concurrency {
    fn default() -> Self {
        Self {
            limit: FIRST,
            answers: 0,
            calm_rounds: 0,
            too_many: None,
            reached: 0,
            proven: 0,
        }
    }
}

impl Concurrency {
    /// Requests that may be under way at the same time, at least 1.
    pub fn limit(&self) -> usize {
        self.limit as usize
    }

    /// A request was answered well; so many were under way with it.
    pub fn answered(&mut self, under_way: usize) {
        self.reached = self.reached.max(under_way);
        self.answers += 1;
        if self.answers >= self.limit() {
            self.calm_rounds += 1;
            let larger = (self.limit + 1.0).min(MOST);
            let was_too_many = self.too_many.is_some_and(|too_many| larger as usize >= too_many);
            self.proven = self.proven.max(self.reached);
            if self.reached >= self.limit() && (!was_too_many || self.calm_rounds >= ROUNDS_BELOW) {
                self.limit = larger;
                self.too_many = self.too_many.filter(|_| !was_too_many);
            }
            self.next_round();
        }
    }

    /// The provider pushed back when so many requests were under way. To be told once for all requests that were sent before
    /// the last time. Says whether that explains it: so many at the same time have not been answered well before.
    pub fn pushed_back(&mut self, under_way: usize) -> bool {
        let is_explained = self.proven > 0 && under_way > self.proven;
        self.too_many = Some(self.limit());
        self.calm_rounds = 0;
        self.limit = (self.limit * BACK).max(1.0);
        self.proven = self.proven.min(self.limit());
        self.next_round();
        is_explained
    }

    fn next_round(&mut self) {
        self.answers = 0;
        self.reached = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_limit_stays_within_its_bounds(answers in vec(any::<bool>(), 0..2_000)) {
            let mut concurrency = Concurrency::default();
            for is_well in answers {
                let before = concurrency.limit();
                if is_well {
                    concurrency.answered(before);
                    prop_assert!(concurrency.limit() - before <= 1);
                } else {
                    concurrency.pushed_back(before);
                    prop_assert!(concurrency.limit() <= before);
                }
                prop_assert!((1..=MOST as usize).contains(&concurrency.limit()));
            }
        }

        #[test]
        fn it_settles_near_what_the_provider_allows(allows in 2usize..60) {
            let mut concurrency = Concurrency::default();
            let mut seen = Vec::new();
            for round in 0..2_000 {
                let under_way = concurrency.limit();
                if under_way > allows {
                    concurrency.pushed_back(under_way);
                } else {
                    (0..under_way).for_each(|_| concurrency.answered(under_way));
                }
                if round >= 1_000 {
                    seen.push(under_way);
                }
            }
            let mean = seen.iter().sum::<usize>() as f64 / seen.len() as f64;
            prop_assert!(mean >= 0.85 * allows as f64, "{mean} of {allows}");
            prop_assert!(seen.iter().all(|one| *one <= allows + 1));
        }
    }

    #[test]
    fn a_push_back_beyond_what_was_answered_well_is_explained_and_one_below_is_not() {
        let mut concurrency = Concurrency::default();
        assert!(!concurrency.pushed_back(1), "nothing is known yet");
        let proven = concurrency.limit();
        while concurrency.limit() == proven {
            concurrency.answered(proven);
        }
        assert!(!concurrency.clone().pushed_back(proven));
        assert!(concurrency.pushed_back(proven + 1));
    }

    #[test]
    fn a_limit_that_nobody_needs_does_not_grow() {
        let mut concurrency = Concurrency::default();
        (0..1_000).for_each(|_| concurrency.answered(1));
        assert_eq!(concurrency.limit(), FIRST as usize);
    }
}
