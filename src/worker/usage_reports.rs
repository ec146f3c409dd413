//! What providers did, from the engine into `vb_provider_usage`: every few seconds while they do something. What searches spent
//! goes along, see [`super::search_reports`].

use std::collections::HashMap;
use std::time::{Duration, Instant};

use vb_engine::provider::registry::ProviderReport;

use super::main_loop::Worker;
use super::search_reports::Clients;
use crate::catalog::provider_usage;

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
        self.report_searches(Clients::NotHeld);
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
}
