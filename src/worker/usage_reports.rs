//! What providers did, from the engine into `vb_provider_usage`, and what searches spent, into `vb_client_usage`: every few
//! seconds while they do something.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use vb_engine::client_budgets::SearchSpending;
use vb_engine::provider::registry::ProviderReport;

use super::main_loop::Worker;
use crate::catalog::{provider_usage, spending};
use crate::pg::lock;

/// Time between two reports.
const INTERVAL: Duration = Duration::from_secs(2);

/// Reports that are not written down yet.
#[derive(Debug)]
pub(super) struct UsageReports {
    next: Instant,
    pending: HashMap<String, ProviderReport>,
    /// State of breakers as written last.
    breakers: HashMap<String, &'static str>,
}

/// What to do about clients that somebody holds, who may be about to remove them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// Write down later what they spent.
    Later,
    /// Write it down too: there is no later.
    Too,
}

impl UsageReports {
    /// Nothing to report yet.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            next: now,
            pending: HashMap::new(),
            breakers: HashMap::new(),
        }
    }

    fn take_over(&mut self, reports: Vec<ProviderReport>) {
        for mut report in reports {
            let breaker = report.gate.as_ref().map(|gate| gate.breaker);
            let is_news = breaker.is_some_and(|breaker| self.breakers.get(&report.name) != Some(&breaker));
            match self.pending.remove(&report.name) {
                Some(earlier) => report.usage.add(earlier.usage),
                None if report.usage.is_empty() && !is_news => continue,
                None => {}
            }
            self.pending.insert(report.name.clone(), report);
        }
    }
}

impl Worker {
    /// Writes down what providers did, now and then. What cannot be written keeps nothing else waiting.
    pub(super) fn report_usage(&mut self) {
        let now = Instant::now();
        if now < self.usage.next {
            return;
        }
        self.usage.next = now + INTERVAL;
        self.report_usage_now();
    }

    /// Writes down what providers did and searches spent.
    pub(super) fn report_usage_now(&mut self) {
        self.report_searches(Held::Later);
        self.usage.take_over(self.engine.provider_reports());
        if self.usage.pending.is_empty() {
            return;
        }
        let written = self.transact(|installation| {
            let mut reports: Vec<&ProviderReport> = self.usage.pending.values().collect();
            // In one order always, so that nobody waits for another in a circle.
            reports.sort_by(|one, other| one.name.cmp(&other.name));
            reports
                .into_iter()
                .try_for_each(|report| provider_usage::add(installation, report))
        });
        if let Err(error) = written {
            pgrx::log!(
                "vector_backfill writes down later what providers did: {}",
                error.message
            );
            return;
        }
        for (name, report) in self.usage.pending.drain() {
            if let Some(gate) = report.gate {
                self.usage.breakers.insert(name, gate.breaker);
            }
        }
    }

    /// Writes down what searches spent.
    pub(super) fn report_searches(&self, held: Held) {
        let clients = self.engine.client_budgets();
        let mut spent = clients.unrecorded();
        if spent.is_empty() {
            return;
        }
        let written = self.transact(|installation| {
            let is_free = |search: &SearchSpending| lock::begin_for_client(self.database, search.client_id);
            spent.retain(|search| is_free(search) || held == Held::Too);
            spent
                .iter()
                .try_for_each(|search| spending::add_searches(installation, search))
        });
        match written {
            Ok(_) => clients.recorded(&spent),
            Err(error) => pgrx::log!(
                "vector_backfill writes down later what searches spent: {}",
                error.message
            ),
        }
    }
}
