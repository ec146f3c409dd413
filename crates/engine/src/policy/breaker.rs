//! A circuit breaker: a provider that fails again and again is left alone for a while, then tried with one call.

use std::time::{Duration, Instant};

use super::backoff;

/// Failures in a row, without a single success, after which the provider is left alone.
const FAILURES: u32 = 5;

/// The first pause, and the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The shortest pause that chance may give.
const SHORTEST_PAUSE: Duration = Duration::from_millis(250);

/// Whether a provider is called.
#[derive(Debug, Clone, Default)]
pub struct Breaker {
    state: State,
}

#[derive(Debug, Clone)]
enum State {
    /// All is well, but for so many failures in a row.
    Closed { failures: u32 },
    /// Left alone until a moment, for the nth time in a row.
    Open { until: Instant, nth: u32 },
    /// One call is under way to see whether it works again.
    HalfOpen { nth: u32 },
}

impl Default for State {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

/// What the breaker says to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Call.
    Go,
    /// Call with something that cannot be at fault itself, and tell what came of it.
    Probe,
    /// Not before this moment.
    NotBefore(Instant),
    /// Another call is finding out.
    AwaitProbe,
}

impl Breaker {
    /// Asks for one call. After [`Permission::Probe`] one of [`Breaker::succeeded`], [`Breaker::failed`] and
    /// [`Breaker::gave_up`] has to follow.
    pub fn ask(&mut self, now: Instant) -> Permission {
        match self.state {
            State::Closed { .. } => Permission::Go,
            State::Open { until, .. } if now < until => Permission::NotBefore(until),
            State::Open { nth, .. } => {
                self.state = State::HalfOpen { nth };
                Permission::Probe
            }
            State::HalfOpen { .. } => Permission::AwaitProbe,
        }
    }

    /// Until when the provider is left alone; `None` when it is called.
    pub fn open_until(&self) -> Option<Instant> {
        match self.state {
            State::Open { until, .. } => Some(until),
            State::Closed { .. } | State::HalfOpen { .. } => None,
        }
    }

    /// Whether calls are made without more ado.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }

    /// Its state in a word.
    pub fn name(&self) -> &'static str {
        match self.state {
            State::Closed { .. } => "closed",
            State::Open { .. } => "open",
            State::HalfOpen { .. } => "half-open",
        }
    }

    /// A call was answered, well or with a refusal: the provider is there.
    pub fn succeeded(&mut self) {
        self.state = State::default();
    }

    /// A call failed for a reason that is the provider's. `chance` is from 0 to 1. A call that was sent before the breaker
    /// opened says nothing new.
    pub fn failed(&mut self, now: Instant, is_probe: bool, chance: f64) {
        self.state = match self.state {
            State::Closed { failures } if failures + 1 < FAILURES => State::Closed { failures: failures + 1 },
            State::Closed { .. } => open(1, now, chance),
            State::HalfOpen { nth } if is_probe => open(nth.saturating_add(1), now, chance),
            ref same @ (State::HalfOpen { .. } | State::Open { .. }) => same.clone(),
        };
    }

    /// Nobody waits for the probe any more: the next call is one.
    pub fn gave_up(&mut self, now: Instant) {
        if let State::HalfOpen { nth } = self.state {
            self.state = State::Open { until: now, nth };
        }
    }
}

fn open(nth: u32, now: Instant, chance: f64) -> State {
    let pause = backoff::delay(nth, FIRST_PAUSE, LONGEST_PAUSE, chance).max(SHORTEST_PAUSE);
    State::Open {
        until: now + pause,
        nth,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn single_failures_among_successes_never_open_it() {
        let mut breaker = Breaker::default();
        let now = Instant::now();
        for _ in 0..100 {
            (0..FAILURES - 1).for_each(|_| breaker.failed(now, false, 1.0));
            assert_eq!(breaker.ask(now), Permission::Go);
            breaker.succeeded();
        }
    }

    #[test]
    fn one_probe_at_a_time_decides() {
        let mut breaker = Breaker::default();
        let now = Instant::now();
        (0..FAILURES).for_each(|_| breaker.failed(now, false, 1.0));
        assert_eq!(breaker.ask(now), Permission::NotBefore(now + FIRST_PAUSE));
        let later = now + FIRST_PAUSE;
        assert_eq!(breaker.ask(later), Permission::Probe);
        assert_eq!(breaker.ask(later), Permission::AwaitProbe);
        breaker.failed(later, false, 1.0);
        assert_eq!(
            breaker.ask(later),
            Permission::AwaitProbe,
            "a call sent before says nothing"
        );
        breaker.failed(later, true, 1.0);
        assert_eq!(breaker.open_until(), Some(later + 2 * FIRST_PAUSE));
        let later = later + 2 * FIRST_PAUSE;
        assert_eq!(breaker.ask(later), Permission::Probe);
        breaker.gave_up(later);
        assert_eq!(breaker.ask(later), Permission::Probe);
        breaker.succeeded();
        assert_eq!(breaker.ask(later), Permission::Go);
    }

    proptest! {
        #[test]
        fn an_outage_of_five_minutes_costs_few_calls_and_is_over_soon_after(chances in proptest::collection::vec(0.0..=1.0, 400)) {
            let start = Instant::now();
            let end = start + Duration::from_secs(300);
            let (mut now, mut calls) = (start, 0);
            let mut breaker = Breaker::default();
            let mut chances = chances.into_iter().cycle();
            let back = loop {
                let permission = breaker.ask(now);
                match permission {
                    Permission::NotBefore(moment) => now = moment,
                    Permission::AwaitProbe => unreachable!("one caller"),
                    Permission::Go | Permission::Probe if now >= end => break now,
                    Permission::Go | Permission::Probe => {
                        calls += 1;
                        // Each failed call takes a moment.
                        now += Duration::from_millis(10);
                        breaker.failed(now, permission == Permission::Probe, chances.next().unwrap_or(0.5));
                    }
                }
            };
            prop_assert!(calls < 300, "{calls} calls");
            prop_assert!(back <= end + LONGEST_PAUSE);
        }
    }
}
