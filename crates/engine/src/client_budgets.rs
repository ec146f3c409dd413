//! What clients may spend in a day, shared by the batches and the searches that are made for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::budget::{Amount, Budget, Limits, Terms};
use crate::purse::Purse;

/// How long a budget is kept that nobody uses: whoever read the books before they knew everything has long come by then, and
/// a day that was spent is remembered better here than by somebody who waited with what he read.
const KEPT_UNUSED: Duration = Duration::from_secs(600);

/// A client's day, as the books have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Day {
    /// The client.
    pub client_id: i64,
    /// Its date: the later one is the greater text.
    pub date: String,
    /// Time until the next one has surely begun.
    pub left: Duration,
    /// What may be spent in it.
    pub limits: Limits,
    /// What is spent already.
    pub spent: Amount,
    /// Whose budget it is, for people.
    pub name: String,
    /// What to do about one that is used up, for people.
    pub remedy: String,
}

/// Who pays for a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payer {
    /// The client's day.
    pub day: Day,
    /// What a token of the question costs.
    pub cost_per_token: f64,
}

/// What searches for a client spent with a provider and the books do not know.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchSpending {
    /// The client.
    pub client_id: i64,
    /// Name of the provider.
    pub provider: String,
    /// Tokens, and what they cost.
    pub amount: Amount,
}

/// Budgets of clients: of those that something is done for, and of those that something was done for a moment ago.
#[derive(Debug, Default)]
pub struct ClientBudgets(Mutex<HashMap<i64, Account>>);

#[derive(Debug)]
struct Account {
    date: String,
    budget: Arc<Budget>,
    /// What searches spent with each provider and the books do not know.
    unrecorded: HashMap<String, Amount>,
    last_use: Instant,
}

impl ClientBudgets {
    /// The client's budget on this day, as somebody has just read it. What is spent of a day that is known already is known
    /// better here than in the books.
    pub fn on(&self, day: &Day) -> Arc<Budget> {
        let mut accounts = self.lock();
        let account = accounts.entry(day.client_id).or_insert_with(|| Account {
            date: day.date.clone(),
            budget: Arc::new(Budget::new(day.terms(), day.spent)),
            unrecorded: HashMap::new(),
            last_use: Instant::now(),
        });
        account.last_use = Instant::now();
        account.take_over(day);
        account.budget.clone()
    }

    /// Takes over a day of a client whose budget is in use.
    pub fn refresh(&self, day: &Day) {
        if let Some(account) = self.lock().get_mut(&day.client_id) {
            account.take_over(day);
        }
    }

    /// Clients whose budgets somebody holds at the moment. Forgets those that nobody has used for long.
    pub fn in_use(&self) -> Vec<i64> {
        let mut accounts = self.lock();
        let now = Instant::now();
        for account in accounts.values_mut() {
            if account.is_held() || !account.unrecorded.is_empty() {
                account.last_use = now;
            }
        }
        accounts.retain(|_, account| now.duration_since(account.last_use) < KEPT_UNUSED);
        let held = accounts.iter().filter(|(_, account)| account.is_held());
        held.map(|(client_id, _)| *client_id).collect()
    }

    /// A search spent so many tokens.
    pub(crate) fn note(&self, payer: &Payer, provider: &str, tokens: u64) {
        let amount = Amount {
            tokens,
            cost: tokens as f64 * payer.cost_per_token,
        };
        if let Some(account) = self.lock().get_mut(&payer.day.client_id) {
            let noted = account.unrecorded.entry(provider.to_owned()).or_default();
            *noted = noted.plus(amount);
        }
    }

    /// What searches spent and the books do not know, in one order always.
    pub fn unrecorded(&self) -> Vec<SearchSpending> {
        let accounts = self.lock();
        let mut all: Vec<SearchSpending> = accounts
            .iter()
            .flat_map(|(client_id, account)| {
                account.unrecorded.iter().map(|(provider, amount)| SearchSpending {
                    client_id: *client_id,
                    provider: provider.clone(),
                    amount: *amount,
                })
            })
            .collect();
        all.sort_by(|one, other| (one.client_id, &one.provider).cmp(&(other.client_id, &other.provider)));
        all
    }

    /// The books know of it, or never will.
    pub fn recorded(&self, spending: &[SearchSpending]) {
        let mut accounts = self.lock();
        for SearchSpending {
            client_id,
            provider,
            amount,
        } in spending
        {
            let Some(account) = accounts.get_mut(client_id) else {
                continue;
            };
            account.budget.record(*amount);
            if let Some(noted) = account.unrecorded.get_mut(provider) {
                *noted = noted.less(*amount);
                if noted.tokens == 0 {
                    account.unrecorded.remove(provider);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Account>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    /// Whether something is under way that pays from it.
    fn is_held(&self) -> bool {
        Arc::strong_count(&self.budget) > 1
    }

    fn take_over(&mut self, day: &Day) {
        if day.date == self.date {
            self.budget.change(day.terms());
        } else if day.date > self.date {
            self.budget.renew(day.terms(), day.spent);
            self.date.clone_from(&day.date);
        }
        // Else it was read just before midnight.
    }
}

impl Day {
    fn terms(&self) -> Terms {
        Terms {
            name: self.name.clone(),
            limits: self.limits,
            keeps_for_searches: true,
            remedy: self.remedy.clone(),
            renewed_at: Some(Instant::now() + self.left),
        }
    }
}

impl Payer {
    /// A purse for one question.
    pub(crate) fn purse(&self, clients: &ClientBudgets) -> Purse {
        Purse::of_search(clients.on(&self.day), self.cost_per_token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(date: &str, most: Option<u64>, spent: u64) -> Day {
        Day {
            client_id: 1,
            date: date.to_owned(),
            left: Duration::from_secs(60),
            limits: Limits {
                tokens: most,
                cost: None,
            },
            spent: Amount {
                tokens: spent,
                cost: 0.0,
            },
            name: format!("client 1 on {date}"),
            remedy: "Wait.".to_owned(),
        }
    }

    fn payer(day: Day) -> Payer {
        Payer {
            day,
            cost_per_token: 0.5,
        }
    }

    #[test]
    fn searches_and_batches_of_a_client_pay_from_one_budget() {
        let clients = ClientBudgets::default();
        let payer = payer(day("2026-01-01", Some(100), 40));
        payer.purse(&clients).reserve(50).unwrap().spend(50);
        let batches = Purse::new(vec![clients.on(&payer.day)], 0.0);
        assert!(
            batches.reserve(6).is_err(),
            "90 of 100 are spent, and 5 are kept for searches"
        );
        assert!(batches.reserve(5).is_ok());
        assert!(payer.purse(&clients).reserve(11).is_err());
        assert!(payer.purse(&clients).reserve(10).is_ok());
    }

    #[test]
    fn old_books_do_not_give_back_what_is_spent_and_a_new_day_does() {
        let clients = ClientBudgets::default();
        let first = payer(day("2026-01-01", Some(100), 0));
        first.purse(&clients).reserve(90).unwrap().spend(90);
        clients.note(&first, "cloud", 90);
        assert!(first.purse(&clients).reserve(11).is_err(), "the same day again");
        clients.recorded(&clients.unrecorded());
        let next = payer(day("2026-01-02", Some(100), 0));
        next.purse(&clients).reserve(70).unwrap().spend(70);
        assert!(next.purse(&clients).reserve(31).is_err());
        assert!(
            first.purse(&clients).reserve(31).is_err(),
            "yesterday's books change nothing"
        );
        assert!(first.purse(&clients).reserve(30).is_ok());
    }

    #[test]
    fn clients_are_in_use_while_somebody_holds_their_budget() {
        let clients = ClientBudgets::default();
        let budget = clients.on(&day("2026-01-01", Some(100), 0));
        assert_eq!(clients.in_use(), [1]);
        Purse::new(vec![budget], 0.0).reserve(10).unwrap().spend(10);
        assert_eq!(clients.in_use(), [0_i64; 0]);
        let again = clients.on(&day("2026-01-01", Some(100), 0));
        assert_eq!(again.spent().tokens, 10, "but it is remembered");
    }

    #[test]
    fn what_searches_spent_is_told_until_the_books_know_it() {
        let clients = ClientBudgets::default();
        let payer = payer(day("2026-01-01", None, 0));
        payer.purse(&clients).reserve(0).unwrap().spend(7);
        clients.note(&payer, "cloud", 7);
        clients.note(&payer, "cloud", 3);
        let told = clients.unrecorded();
        let expected = SearchSpending {
            client_id: 1,
            provider: "cloud".to_owned(),
            amount: Amount { tokens: 10, cost: 5.0 },
        };
        assert_eq!(told, [expected]);
        assert_eq!(clients.unrecorded(), told, "until it is recorded");
        clients.note(&payer, "cloud", 4);
        clients.recorded(&told);
        assert_eq!(clients.unrecorded()[0].amount, Amount { tokens: 4, cost: 2.0 });
        clients.recorded(&clients.unrecorded());
        assert!(clients.unrecorded().is_empty());
    }
}
