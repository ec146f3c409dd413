//! Pays for requests: one is sent only when what it will take fits into every budget it counts against.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::budget::{Amount, Budget, Exceeded, Use};

/// Pays for requests to one provider, out of all the budgets they count against.
#[derive(Debug, Default)]
pub struct Purse {
    budgets: Vec<Arc<Budget>>,
    usage: Use,
    cost_per_token: Mutex<f64>,
    /// Tokens as they were counted before and as the provider counted them.
    experience: Mutex<(u64, u64)>,
}

/// What a request will take. Given back when it is dropped.
#[derive(Debug)]
#[must_use]
pub struct Reservation<'a> {
    purse: &'a Purse,
    counted: u64,
    amount: Amount,
}

impl Purse {
    /// A purse for these budgets.
    pub fn new(budgets: Vec<Arc<Budget>>, cost_per_token: f64) -> Self {
        Self {
            budgets,
            usage: Use::Work,
            cost_per_token: Mutex::new(cost_per_token),
            experience: Mutex::default(),
        }
    }

    /// A purse for a question, which may take what work has to leave.
    pub(crate) fn of_search(budget: Arc<Budget>, cost_per_token: f64) -> Self {
        Self {
            usage: Use::Search,
            ..Self::new(vec![budget], cost_per_token)
        }
    }

    /// What a token costs from now on.
    pub fn change_price(&self, cost_per_token: f64) {
        *self.price() = cost_per_token;
    }

    /// Whether anything is limited, so that tokens have to be counted before they are sent.
    pub fn is_limited(&self) -> bool {
        let costs = *self.price() > 0.0;
        self.budgets.iter().any(|budget| {
            let limits = budget.limits();
            limits.tokens.is_some() || (limits.cost.is_some() && costs)
        })
    }

    /// Whether there is anything else to spend than at that moment.
    pub fn has_changed_since(&self, moment: Instant) -> bool {
        self.budgets.iter().any(|budget| budget.has_changed_since(moment))
    }

    /// How many of the texts with so many tokens, from the first, may be sent at this moment.
    pub fn affordable(&self, tokens: &[usize]) -> usize {
        let price = *self.price();
        let rooms = self.budgets.iter().map(|budget| budget.room(price, self.usage));
        let room = rooms.min().unwrap_or(u64::MAX);
        let mut sum = 0_u64;
        let fitting = tokens.iter().take_while(|tokens| {
            sum = sum.saturating_add(**tokens as u64);
            self.expected(sum) <= room
        });
        fitting.count()
    }

    /// Sets aside what a request with so many tokens will take, unless that is too much.
    pub fn reserve(&self, tokens: u64) -> Result<Reservation<'_>, Exceeded> {
        let expected = self.expected(tokens);
        let amount = self.amount(expected);
        for (position, budget) in self.budgets.iter().enumerate() {
            if let Err(exceeded) = budget.reserve(amount, self.usage) {
                for before in &self.budgets[..position] {
                    before.settle(amount, Amount::default());
                }
                return Err(exceeded);
            }
        }
        Ok(Reservation {
            purse: self,
            counted: tokens,
            amount,
        })
    }

    /// The books know of so many tokens that were spent.
    pub fn record(&self, tokens: u64) {
        let amount = self.amount(tokens);
        for budget in &self.budgets {
            budget.record(amount);
        }
    }

    fn amount(&self, tokens: u64) -> Amount {
        Amount {
            tokens,
            cost: tokens as f64 * *self.price(),
        }
    }

    /// What the provider will count, going by what it counted so far. Never less than was counted here.
    fn expected(&self, counted: u64) -> u64 {
        let (before, after) = *self.experience();
        if after <= before || before == 0 {
            return counted;
        }
        let expected = (u128::from(counted) * u128::from(after)).div_ceil(u128::from(before));
        u64::try_from(expected).unwrap_or(u64::MAX)
    }

    fn price(&self) -> MutexGuard<'_, f64> {
        self.cost_per_token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn experience(&self) -> MutexGuard<'_, (u64, u64)> {
        self.experience.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation<'_> {
    /// The request has been answered, and took so many tokens.
    pub fn spend(mut self, tokens: u64) {
        // What nobody counted teaches nothing.
        if self.counted > 0 {
            let mut experience = self.purse.experience();
            experience.0 += self.counted;
            experience.1 += tokens;
        }
        self.settle(self.purse.amount(tokens));
    }

    fn settle(&mut self, spent: Amount) {
        let reserved = std::mem::take(&mut self.amount);
        for budget in &self.purse.budgets {
            budget.settle(reserved, spent);
        }
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        self.settle(Amount::default());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::budget::{Limits, Terms};

    fn terms(tokens: Option<u64>, cost: Option<f64>) -> Terms {
        Terms {
            name: "job 7".to_owned(),
            limits: Limits { tokens, cost },
            keeps_for_searches: false,
            remedy: "Raise it.".to_owned(),
            renewed_at: None,
        }
    }

    fn budget(tokens: Option<u64>, cost: Option<f64>) -> Arc<Budget> {
        Arc::new(Budget::new(terms(tokens, cost), Amount::default()))
    }

    proptest! {
        #[test]
        fn what_is_spent_and_under_way_never_exceeds_a_limit_when_counts_are_right(
            limits in (1_u64..5_000, 1_u64..5_000),
            price in 0.0_f64..0.01,
            requests in proptest::collection::vec((1_u64..400, any::<bool>(), any::<bool>()), 1..200),
        ) {
            let (job, client) = (budget(Some(limits.0), None), budget(None, Some(limits.1 as f64 / 1_000.0)));
            let purses = [
                Purse::new(vec![job.clone(), client.clone()], price),
                Purse::new(vec![client.clone()], price * 2.0),
            ];
            let mut under_way = Vec::new();
            let mut spent = [0_u64; 2];
            for (tokens, second, fails) in requests {
                let which = usize::from(second);
                if let Ok(reservation) = purses[which].reserve(tokens) {
                    under_way.push((which, tokens, fails, reservation));
                }
                if under_way.len() > 3 {
                    let (which, tokens, fails, reservation) = under_way.remove(0);
                    if !fails {
                        reservation.spend(tokens);
                        spent[which] += tokens;
                    }
                }
                let on_the_way = |wanted: usize| under_way.iter()
                    .filter(|(which, ..)| *which == wanted)
                    .map(|(_, tokens, ..)| *tokens)
                    .sum::<u64>();
                let both = [spent[0] + on_the_way(0), spent[1] + on_the_way(1)];
                prop_assert!(both[0] <= limits.0);
                let cost = both[0] as f64 * price + both[1] as f64 * price * 2.0;
                prop_assert!(cost <= limits.1 as f64 / 1_000.0 + 1e-9);
            }
            drop(under_way);
            prop_assert_eq!(job.spent().tokens, spent[0]);
            prop_assert_eq!(client.spent().tokens, spent[0] + spent[1]);
            // Nothing stays reserved: all that is left can be taken.
            let left = limits.0 - spent[0];
            let alone = Purse::new(vec![job], 0.0);
            prop_assert!(alone.reserve(left).is_ok());
            prop_assert!(alone.reserve(left + 1).is_err());
        }

        #[test]
        fn what_is_affordable_can_be_reserved_and_one_text_more_cannot(
            limit in 0_u64..3_000,
            texts in proptest::collection::vec(1_usize..300, 1..50),
        ) {
            let purse = Purse::new(vec![budget(Some(limit), None)], 0.0);
            let count = purse.affordable(&texts);
            let sum = |count: usize| texts[..count].iter().sum::<usize>() as u64;
            prop_assert!(purse.reserve(sum(count)).is_ok());
            prop_assert!(count == texts.len() || purse.reserve(sum(count + 1)).is_err());
        }
    }

    #[test]
    fn a_provider_that_counts_more_tokens_than_we_do_is_believed() {
        let purse = Purse::new(vec![budget(Some(1_000), None)], 0.0);
        purse.reserve(100).unwrap().spend(150);
        assert_eq!(purse.affordable(&[100; 20]), 5, "850 are left, and 100 are 150");
        assert!(purse.reserve(567).is_err());
        assert!(purse.reserve(566).is_ok());
    }

    #[test]
    fn a_refusal_says_whose_limit_it_is_and_what_to_do() {
        let purse = Purse::new(vec![budget(Some(100), None)], 0.0);
        purse.reserve(90).unwrap().spend(90);
        let exceeded = purse.reserve(11).unwrap_err();
        assert_eq!(
            exceeded.message,
            "job 7 would exceed its limit of 100 tokens: 90 are spent. Raise it."
        );
        let purse = Purse::new(vec![budget(None, Some(0.5))], 0.01);
        purse.reserve(30).unwrap().spend(30);
        let exceeded = purse.reserve(21).unwrap_err();
        assert_eq!(
            exceeded.message,
            "job 7 would exceed its limit of a cost of 0.5: 0.300000 is spent. Raise it."
        );
    }

    #[test]
    fn work_leaves_a_twentieth_to_searches_where_it_counts_for_them_too() {
        for (limits, what) in [
            (
                (Some(1_000), None),
                "its limit of 1000 tokens, 50 of that for searches: 900 are spent",
            ),
            (
                (None, Some(100.0)),
                "its limit of a cost of 100, 5 of that for searches: 90.000000 is spent",
            ),
        ] {
            let budget = Arc::new(Budget::new(
                Terms {
                    keeps_for_searches: true,
                    ..terms(limits.0, limits.1)
                },
                Amount::default(),
            ));
            let (work, search) = (Purse::new(vec![budget.clone()], 0.1), Purse::of_search(budget, 0.1));
            work.reserve(900).unwrap().spend(900);
            assert_eq!(work.affordable(&[10; 20]), 5);
            let exceeded = work.reserve(60).unwrap_err();
            assert!(exceeded.message.contains(what), "{}", exceeded.message);
            assert_eq!(search.affordable(&[10; 20]), 10);
            assert!(search.reserve(110).is_err());
        }
    }

    #[test]
    fn a_refusal_is_certain_when_nothing_that_is_given_back_would_help() {
        let purse = Purse::new(vec![budget(Some(100), None)], 0.0);
        let _under_way = purse.reserve(50).unwrap();
        assert!(!purse.reserve(60).unwrap_err().is_certain);
        assert!(purse.reserve(101).unwrap_err().is_certain);
    }

    #[test]
    fn a_limit_that_changes_holds_at_once_and_a_new_day_begins_with_nothing() {
        let budget = budget(Some(100), None);
        let purse = Purse::new(vec![budget.clone()], 0.0);
        purse.reserve(100).unwrap().spend(100);
        let (more, none) = (terms(Some(150), None), terms(None, None));
        let before = Instant::now();
        budget.change(more.clone());
        assert!(purse.has_changed_since(before));
        let before = Instant::now();
        budget.change(more.clone());
        assert!(!purse.has_changed_since(before), "nothing else");
        assert_eq!(purse.affordable(&[10; 20]), 5);
        budget.change(none);
        assert!(!purse.is_limited());
        assert!(purse.reserve(u64::from(u32::MAX)).is_ok());
        purse.record(100);
        budget.renew(more, Amount::default());
        assert_eq!(purse.affordable(&[10; 20]), 15);
    }

    #[test]
    fn what_the_books_do_not_know_yet_counts_for_the_new_day() {
        let budget = budget(Some(100), None);
        let purse = Purse::new(vec![budget.clone()], 0.0);
        purse.reserve(40).unwrap().spend(40);
        purse.record(10);
        budget.renew(terms(Some(100), None), Amount::default());
        assert_eq!(budget.spent().tokens, 30);
        purse.record(30);
        assert_eq!(budget.spent().tokens, 30, "they count it for this day");
    }

    #[test]
    fn a_price_that_changes_holds_from_the_next_request_on() {
        let purse = Purse::new(vec![budget(None, Some(1.0))], 0.0);
        assert!(!purse.is_limited());
        purse.reserve(1_000).unwrap().spend(1_000);
        purse.change_price(0.01);
        assert!(purse.is_limited());
        assert_eq!(purse.affordable(&[30; 20]), 3);
    }

    #[test]
    fn money_does_not_limit_what_costs_nothing() {
        let purse = Purse::new(vec![budget(None, Some(0.1))], 0.0);
        assert!(!purse.is_limited());
        assert_eq!(purse.affordable(&[1_000_000; 3]), 3);
        assert!(purse.reserve(3_000_000).is_ok());
    }
}
