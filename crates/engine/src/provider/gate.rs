//! The way to one endpoint with one key: who may send when. All calls go through here, whichever provider, client or job
//! they are for, so that they share one account of its limits.
//!
//! Calls wait here for a little while, in memory; who would have to wait longer is sent away with the time to come back.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;
use vb_formats::rate_headers::{RateHeader, RateHeaders};

use super::contract::Purpose;
use super::gate_report::GateReport;
use crate::policy::breaker::{Breaker, Permission};
use crate::policy::bucket::Bucket;
use crate::policy::concurrency::Concurrency;
use crate::policy::pace::Pace;

/// Requests and tokens a minute.
type PerMinute = (Option<u32>, Option<u32>);

/// One endpoint with one key.
pub(super) struct Gate {
    state: Mutex<State>,
    /// Told whenever something may have become possible.
    changed: Notify,
}

struct State {
    /// The provider asked to be left alone until then.
    paused_until: Option<Instant>,
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
    /// What the administrator says, in requests and tokens a minute; headers may only say less.
    configured: PerMinute,
    /// The same by the provider's name: the smallest counts.
    by_provider: HashMap<String, PerMinute>,
    pace: Pace,
    concurrency: Concurrency,
    under_way: usize,
    /// Changes that wait: other passages let them go first.
    changes_waiting: usize,
    breaker: Breaker,
    /// When the provider pushed back last; what was sent before says nothing new.
    last_push: Option<Instant>,
    /// What it said when it failed or pushed back last; forgotten when it answers.
    trouble: Option<String>,
    last_failure: Option<Instant>,
}

/// A call has to wait longer than it is ready to.
#[derive(Debug, Clone)]
pub(super) struct Busy {
    /// How long.
    pub(super) wait: Duration,
    /// For what, for people.
    pub(super) reason: String,
}

enum Next {
    Go { is_probe: bool, under_way: usize },
    Wait { until: Option<Instant>, reason: String },
}

impl Gate {
    /// An open gate.
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                paused_until: None,
                requests: None,
                tokens: None,
                configured: (None, None),
                by_provider: HashMap::new(),
                pace: Pace::new(Instant::now()),
                concurrency: Concurrency::default(),
                under_way: 0,
                changes_waiting: 0,
                breaker: Breaker::default(),
                last_push: None,
                trouble: None,
                last_failure: None,
            }),
            changed: Notify::new(),
        }
    }

    /// Takes over what the administrator says of the limits with that provider, in units a minute.
    pub(super) fn configure(&self, provider: &str, requests: Option<u32>, tokens: Option<u32>) {
        let mut state = self.state.lock();
        state.by_provider.insert(provider.to_owned(), (requests, tokens));
        let smallest = |of: fn(&PerMinute) -> Option<u32>| state.by_provider.values().filter_map(of).min();
        let (requests, tokens) = (smallest(|both| both.0), smallest(|both| both.1));
        if state.configured == (requests, tokens) {
            return;
        }
        let now = Instant::now();
        state.configured = (requests, tokens);
        state.requests = requests.map(|units| Bucket::per_minute(units, now));
        state.tokens = tokens.map(|units| Bucket::per_minute(units, now));
        drop(state);
        self.changed.notify_waiters();
    }

    /// Waits until a call with so many tokens may be sent, at most for so long.
    pub(super) async fn admit(
        self: &Arc<Self>,
        tokens: usize,
        purpose: Purpose,
        patience: Duration,
    ) -> Result<Admission, Busy> {
        let deadline = Instant::now() + patience;
        let mut waiting = None;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Before looking, so that no change is missed.
            changed.as_mut().enable();
            let now = Instant::now();
            let (until, reason) = match self.next(tokens, purpose, now) {
                Next::Go { is_probe, under_way } => {
                    return Ok(Admission {
                        gate: Arc::clone(self),
                        sent: now,
                        under_way,
                        tokens,
                        is_probe,
                        is_settled: false,
                    });
                }
                Next::Wait { until, reason } => (until, reason),
            };
            if purpose == Purpose::Change && waiting.is_none() {
                waiting = Some(WaitingChange::new(self));
            }
            let moment = until.unwrap_or(deadline);
            if now >= deadline || moment > deadline {
                let wait = moment.saturating_duration_since(now);
                return Err(Busy { wait, reason });
            }
            tokio::select! {
                () = tokio::time::sleep_until(moment.into()) => {}
                () = changed => {}
            }
        }
    }

    /// What can be seen of it now.
    pub(super) fn report(&self) -> GateReport {
        let now = Instant::now();
        let state = self.state.lock();
        let until = state.paused_until.max(state.breaker.open_until());
        GateReport {
            concurrency: state.concurrency.limit(),
            breaker: state.breaker.name(),
            last_failure: state.last_failure.map(|moment| now.saturating_duration_since(moment)),
            pause: until
                .map(|until| until.saturating_duration_since(now))
                .filter(|pause| !pause.is_zero()),
            trouble: state.trouble.clone(),
        }
    }

    fn next(&self, tokens: usize, purpose: Purpose, now: Instant) -> Next {
        let mut state = self.state.lock();
        let trouble = |state: &State, what: &str| match &state.trouble {
            Some(said) => format!("{what}: {said}"),
            None => what.to_owned(),
        };
        if let Some(until) = state.paused_until.filter(|until| *until > now) {
            let reason = trouble(&state, "it wants to be left alone for a while");
            return Next::Wait {
                until: Some(until),
                reason,
            };
        }
        // Somebody waits for a query; there are few of them.
        let is_full = state.under_way >= state.concurrency.limit();
        if (purpose != Purpose::Query && is_full) || (purpose == Purpose::Passage && state.changes_waiting > 0) {
            let reason = "as many requests as it takes are under way".to_owned();
            return Next::Wait { until: None, reason };
        }
        let tokens = tokens as f64;
        let State {
            requests,
            tokens: token_bucket,
            pace,
            ..
        } = &mut *state;
        let wait = [
            requests.as_ref().map(|bucket| bucket.wait(1.0, now)),
            token_bucket.as_ref().map(|bucket| bucket.wait(tokens, now)),
            Some(pace.wait(now)),
        ];
        let wait = wait.into_iter().flatten().max().unwrap_or_default();
        if !wait.is_zero() {
            let reason = "its limit of requests or tokens is used up".to_owned();
            return Next::Wait {
                until: Some(now + wait),
                reason,
            };
        }
        // Asked last: a probe that is allowed has to be made.
        let is_probe = match state.breaker.ask(now) {
            Permission::Go => false,
            Permission::Probe => true,
            Permission::NotBefore(until) => {
                let reason = trouble(&state, "it is out of order");
                return Next::Wait {
                    until: Some(until),
                    reason,
                };
            }
            Permission::AwaitProbe => {
                let reason = trouble(&state, "it is out of order");
                return Next::Wait { until: None, reason };
            }
        };
        state.under_way += 1;
        state.pace.take(now);
        if let Some(bucket) = &mut state.requests {
            bucket.take(1.0, now);
        }
        if let Some(bucket) = &mut state.tokens {
            bucket.take(tokens, now);
        }
        Next::Go {
            is_probe,
            under_way: state.under_way,
        }
    }
}

impl State {
    /// Reacts to a push-back once for all that was sent before the last one. Says whether it is news that the number of
    /// requests at the same time does not explain.
    fn pushed_back(&mut self, admission: &Admission, now: Instant) -> bool {
        if self.last_push.is_some_and(|last| admission.sent <= last) {
            return false;
        }
        self.last_push = Some(now);
        !self.concurrency.pushed_back(admission.under_way)
    }

    fn pause(&mut self, until: Instant) {
        self.paused_until = self.paused_until.max(Some(until));
    }

    /// Takes over what headers say. Nobody else's use of the same key is known otherwise.
    fn learn(&mut self, headers: &RateHeaders, now: Instant) {
        let learn = |bucket: &mut Option<Bucket>, configured: Option<u32>, header: RateHeader| {
            if let Some(limit) = header.limit.filter(|limit| *limit > 0) {
                let limit = configured.map_or(limit, |configured| configured.min(limit));
                bucket
                    .get_or_insert_with(|| Bucket::per_minute(limit, now))
                    .set_per_minute(limit, now);
            }
            if let (Some(bucket), Some(remaining)) = (bucket.as_mut(), header.remaining) {
                bucket.at_most(f64::from(remaining), now);
            }
            match (header.remaining, header.reset) {
                (Some(0), Some(reset)) => Some(now + reset),
                _ => None,
            }
        };
        let (requests, tokens) = self.configured;
        let pauses = [
            learn(&mut self.requests, requests, headers.requests),
            learn(&mut self.tokens, tokens, headers.tokens),
        ];
        pauses.into_iter().flatten().for_each(|until| self.pause(until));
    }
}

/// A change that waits, as long as this is there.
struct WaitingChange<'a>(&'a Gate);

impl<'a> WaitingChange<'a> {
    fn new(gate: &'a Gate) -> Self {
        gate.state.lock().changes_waiting += 1;
        Self(gate)
    }
}

impl Drop for WaitingChange<'_> {
    fn drop(&mut self) {
        self.0.state.lock().changes_waiting -= 1;
        self.0.changed.notify_waiters();
    }
}

/// Leave to send one call, and the duty to tell what came of it. Dropped without that, the call counts as given up.
pub(super) struct Admission {
    gate: Arc<Gate>,
    sent: Instant,
    /// Calls that were under way with it.
    under_way: usize,
    tokens: usize,
    is_probe: bool,
    is_settled: bool,
}

impl Admission {
    /// Whether the provider was out of order and this call is to find out if it still is.
    pub(super) fn is_probe(&self) -> bool {
        self.is_probe
    }

    /// It was answered, at the cost of so many tokens.
    pub(super) fn answered(self, tokens: usize, headers: &RateHeaders) {
        self.settle(|state, admission, now| {
            state.concurrency.answered(state.under_way);
            if !state.breaker.is_closed() {
                state.pace.count_from(now);
            }
            state.pace.answered(now);
            state.breaker.succeeded();
            state.trouble = None;
            if let Some(bucket) = &mut state.tokens {
                bucket.correct(admission.tokens as f64 - tokens as f64, now);
            }
            state.learn(headers, now);
        });
    }

    /// It was refused for what was sent: the provider is there. Nothing was spent.
    pub(super) fn refused(self, headers: &RateHeaders) {
        self.settle(|state, admission, now| {
            state.breaker.succeeded();
            if let Some(bucket) = &mut state.tokens {
                bucket.correct(admission.tokens as f64, now);
            }
            state.learn(headers, now);
        });
    }

    /// It was refused for coming too soon, or, when the provider is `overloaded`, for coming at all.
    pub(super) fn throttled(self, retry_after: Option<Duration>, overloaded: bool, headers: &RateHeaders, said: &str) {
        self.settle(|state, admission, now| {
            state.breaker.succeeded();
            if state.pushed_back(admission, now) && !overloaded {
                state.pace.refused(admission.sent, retry_after, now);
            }
            state.trouble = Some(said.to_owned());
            if let Some(bucket) = &mut state.tokens {
                bucket.correct(admission.tokens as f64, now);
            }
            if let Some(pause) = retry_after {
                state.pause(now + pause);
            }
            state.learn(headers, now);
        });
    }

    /// It failed for a reason of the provider's or of the way there; `overloaded` when less at a time might help.
    pub(super) fn failed(self, overloaded: bool, said: &str) {
        self.settle(|state, admission, now| {
            if overloaded {
                state.pushed_back(admission, now);
            }
            state.last_failure = Some(now);
            state.breaker.failed(now, admission.is_probe, rand::random());
            state.trouble = Some(said.to_owned());
        });
    }

    fn settle(mut self, change: impl FnOnce(&mut State, &Self, Instant)) {
        self.is_settled = true;
        let mut state = self.gate.state.lock();
        change(&mut state, &self, Instant::now());
        state.under_way = state.under_way.saturating_sub(1);
        drop(state);
        self.gate.changed.notify_waiters();
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if self.is_settled {
            return;
        }
        let mut state = self.gate.state.lock();
        if self.is_probe {
            state.breaker.gave_up(Instant::now());
        }
        state.under_way = state.under_way.saturating_sub(1);
        drop(state);
        self.gate.changed.notify_waiters();
    }
}
