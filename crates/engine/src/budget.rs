//! A limit of what may be spent on embeddings, and what is: together with what requests under way will take.
//! [`Purse`](crate::purse::Purse) pays from it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Tokens, and the money they cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Amount {
    /// Tokens.
    pub tokens: u64,
    /// In the currency of whoever set the price.
    pub cost: f64,
}

impl Amount {
    fn plus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_add(other.tokens),
            cost: self.cost + other.cost,
        }
    }

    /// Not less than nothing.
    fn less(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(other.tokens),
            cost: (self.cost - other.cost).max(0.0),
        }
    }
}

/// The most that may be spent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Limits {
    /// Tokens, if they are limited.
    pub tokens: Option<u64>,
    /// Money, if it is.
    pub cost: Option<f64>,
}

/// What a budget is at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// Whose it is, for people: `job 7`.
    pub name: String,
    /// The most that may be spent.
    pub limits: Limits,
    /// What to do about one that is used up, for people.
    pub remedy: String,
    /// When it begins anew by itself, if it does.
    pub renewed_at: Option<Instant>,
}

/// A limit and what is spent of it. Shared by everything that counts against it.
#[derive(Debug)]
pub struct Budget(Mutex<State>);

#[derive(Debug)]
struct State {
    terms: Terms,
    spent: Amount,
    /// What of that whoever keeps the books does not know yet.
    unrecorded: Amount,
    /// What requests under way will take.
    reserved: Amount,
}

/// A request that may not be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Exceeded {
    /// Which budget it would exceed and what to do, for people.
    pub message: String,
    /// Whether that is certain: requests under way may take less than what is set aside for them.
    pub is_certain: bool,
    /// How long until that one begins anew, if it does.
    pub renewed_in: Option<Duration>,
}

impl Budget {
    /// A budget of which so much is spent already.
    pub fn new(terms: Terms, spent: Amount) -> Self {
        Self(Mutex::new(State {
            terms,
            spent,
            unrecorded: Amount::default(),
            reserved: Amount::default(),
        }))
    }

    /// Other terms for what is spent already; says whether the limits are others.
    pub fn change(&self, terms: Terms) -> bool {
        let mut state = self.lock();
        let differs = state.terms.limits != terms.limits;
        state.terms = terms;
        differs
    }

    /// Begins anew, with what the books say. What they do not know yet they will count from now on.
    pub fn renew(&self, terms: Terms, recorded: Amount) {
        let mut state = self.lock();
        state.terms = terms;
        state.spent = recorded.plus(state.unrecorded);
    }

    /// What is spent, without requests under way.
    pub fn spent(&self) -> Amount {
        self.lock().spent
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The most that may be spent.
    pub(crate) fn limits(&self) -> Limits {
        self.lock().terms.limits
    }

    /// Sets an amount aside, unless that is too much.
    pub(crate) fn reserve(&self, amount: Amount) -> Result<(), Exceeded> {
        let mut state = self.lock();
        if let Some(exceeded) = state.exceeded(amount) {
            return Err(exceeded);
        }
        state.reserved = state.reserved.plus(amount);
        Ok(())
    }

    /// What was set aside is spent, or some of it.
    pub(crate) fn settle(&self, reserved: Amount, spent: Amount) {
        let mut state = self.lock();
        state.reserved = state.reserved.less(reserved);
        state.spent = state.spent.plus(spent);
        state.unrecorded = state.unrecorded.plus(spent);
    }

    /// The books know of this amount.
    pub(crate) fn record(&self, amount: Amount) {
        let mut state = self.lock();
        state.unrecorded = state.unrecorded.less(amount);
    }

    /// Tokens that still fit, at this price.
    pub(crate) fn room(&self, cost_per_token: f64) -> u64 {
        let state = self.lock();
        let Limits { tokens, cost } = state.terms.limits;
        let taken = state.spent.tokens.saturating_add(state.reserved.tokens);
        let of_tokens = tokens.map_or(u64::MAX, |most| most.saturating_sub(taken));
        let of_cost = cost.filter(|_| cost_per_token > 0.0).map_or(u64::MAX, |most| {
            // Casts saturate: less than nothing is nothing.
            ((most - state.spent.cost - state.reserved.cost) / cost_per_token) as u64
        });
        of_tokens.min(of_cost)
    }
}

impl State {
    fn exceeded(&self, amount: Amount) -> Option<Exceeded> {
        let Limits { tokens, cost } = self.terms.limits;
        let (spent, reserved) = (self.spent, self.reserved);
        let what = if tokens.is_some_and(|most| spent.tokens + reserved.tokens + amount.tokens > most) {
            let most = tokens.unwrap_or_default();
            format!("{most} tokens: {} are spent", spent.tokens)
        } else if amount.cost > 0.0 && cost.is_some_and(|most| spent.cost + reserved.cost + amount.cost > most) {
            let most = cost.unwrap_or_default();
            format!("a cost of {most}: {:.6} is spent", spent.cost)
        } else {
            return None;
        };
        let Terms { name, remedy, .. } = &self.terms;
        let renewed_at = self.terms.renewed_at;
        Some(Exceeded {
            is_certain: reserved.tokens == 0,
            message: format!("{name} would exceed its limit of {what}. {remedy}"),
            renewed_in: renewed_at.map(|moment| moment.saturating_duration_since(Instant::now())),
        })
    }
}
