//! A limit of what may be spent on embeddings, and what is: together with what requests under way will take.
//! [`Purse`](crate::purse::Purse) pays from it.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Part of a limit that is kept for searches, where it counts for them too: one in so many. A backfill that uses up a day
/// would leave people without answers otherwise.
const KEPT_FOR_SEARCHES: u64 = 20;

/// Tokens, and the money they cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Amount {
    /// Tokens.
    pub tokens: u64,
    /// In the currency of whoever set the price.
    pub cost: f64,
}

/// What is paid for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Use {
    /// Work that can wait.
    #[default]
    Work,
    /// Somebody's question.
    Search,
}

impl Amount {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_add(other.tokens),
            cost: self.cost + other.cost,
        }
    }

    /// Not less than nothing.
    pub(crate) fn less(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(other.tokens),
            cost: (self.cost - other.cost).max(0.0),
        }
    }
}

/// The most that may be spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Tokens, if they are limited.
    pub tokens: Option<u64>,
    /// Money, if it is.
    pub cost: Option<f64>,
}

impl Limits {
    /// Sums of money that were written as text in between may differ in the last digit.
    fn differ_from(self, other: Self) -> bool {
        let is_same = match (self.cost, other.cost) {
            (Some(one), Some(other)) => (one - other).abs() <= one.abs() * 1e-12,
            (one, other) => one == other,
        };
        self.tokens != other.tokens || !is_same
    }
}

/// What a budget is at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// Whose it is, for people: `job 7`.
    pub name: String,
    /// The most that may be spent.
    pub limits: Limits,
    /// Whether a part of that is for searches only.
    pub keeps_for_searches: bool,
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
    /// When there was anything else to spend last.
    changed_at: Option<Instant>,
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
            changed_at: None,
        }))
    }

    /// Other terms for what is spent already.
    pub fn change(&self, terms: Terms) {
        let mut state = self.lock();
        if state.terms.limits.differ_from(terms.limits) {
            state.changed_at = Some(Instant::now());
        }
        state.terms = terms;
    }

    /// Begins anew, with what the books say. What they do not know yet they will count from now on.
    pub fn renew(&self, terms: Terms, recorded: Amount) {
        let mut state = self.lock();
        state.terms = terms;
        state.spent = recorded.plus(state.unrecorded);
        state.changed_at = Some(Instant::now());
    }

    /// Whether there is anything else to spend than at that moment: other limits, or another day.
    pub(crate) fn has_changed_since(&self, moment: Instant) -> bool {
        self.lock().changed_at.is_some_and(|changed_at| changed_at >= moment)
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
    pub(crate) fn reserve(&self, amount: Amount, usage: Use) -> Result<(), Exceeded> {
        let mut state = self.lock();
        if let Some(exceeded) = state.exceeded(amount, usage) {
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
    pub(crate) fn room(&self, cost_per_token: f64, usage: Use) -> u64 {
        let state = self.lock();
        let Limits { tokens, cost } = state.limits_of(usage);
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
    /// The most that may be spent for this.
    fn limits_of(&self, usage: Use) -> Limits {
        let Limits { tokens, cost } = self.terms.limits;
        if usage == Use::Search || !self.terms.keeps_for_searches {
            return Limits { tokens, cost };
        }
        Limits {
            tokens: tokens.map(|most| most - most / KEPT_FOR_SEARCHES),
            cost: cost.map(|most| most - most / KEPT_FOR_SEARCHES as f64),
        }
    }

    fn exceeded(&self, amount: Amount, usage: Use) -> Option<Exceeded> {
        let all = self.terms.limits;
        let most = self.limits_of(usage);
        let (spent, reserved) = (self.spent, self.reserved);
        // What is set aside may be given back, what is spent is not.
        let (is_certain, what) = if let Some(most) = most
            .tokens
            .filter(|most| spent.tokens + reserved.tokens + amount.tokens > *most)
        {
            let all = all.tokens.unwrap_or(most);
            let kept = kept(all - most);
            (
                spent.tokens + amount.tokens > most,
                format!("{all} tokens{kept}: {} are spent", spent.tokens),
            )
        } else if let Some(most) = most
            .cost
            .filter(|most| amount.cost > 0.0 && spent.cost + reserved.cost + amount.cost > *most)
        {
            let all = all.cost.unwrap_or(most);
            let kept = kept(all - most);
            (
                spent.cost + amount.cost > most,
                format!("a cost of {all}{kept}: {:.6} is spent", spent.cost),
            )
        } else {
            return None;
        };
        let Terms { name, remedy, .. } = &self.terms;
        let renewed_at = self.terms.renewed_at;
        Some(Exceeded {
            is_certain,
            message: format!("{name} would exceed its limit of {what}. {remedy}"),
            renewed_in: renewed_at.map(|moment| moment.saturating_duration_since(Instant::now())),
        })
    }
}

/// What of a limit is for searches only, for people.
fn kept<T: fmt::Display + PartialOrd + Default>(kept: T) -> String {
    if kept > T::default() {
        format!(", {kept} of that for searches")
    } else {
        String::new()
    }
}
