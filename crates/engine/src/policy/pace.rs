//! Learns how many requests a second a provider takes that does not say: from how many it answered when it began to refuse.
//!
//! Until a refusal nothing is held back, and a single one is only waited out. After the second, requests are spread evenly
//! over time, a little slower than they were answered, and get faster again bit by bit, since nobody says when a limit is
//! lifted.

use std::time::{Duration, Instant};

/// What is kept of the measured rate after a refusal.
const BACK: f64 = 0.95;

/// A measured rate below this part of the present one says that the limit is another one now.
const FAR_OFF: f64 = 0.8;

/// The shortest time that a limit is taken to be for.
const SECOND: Duration = Duration::from_secs(1);

/// How long a refusal is waited out that came right after another: the rest of that window is mostly short.
const REST_OF_A_WINDOW: Duration = Duration::from_millis(125);

/// The longest time without a single request.
const LONGEST_HOLD: Duration = Duration::from_secs(30);

/// How fast the rate grows: with each request, so that a slow pace is refused as seldom as a fast one, and at most a second.
/// Together with [`BACK`] one request of sixty or more is refused.
const GROWTH_PER_REQUEST: f64 = 0.000_8;
const MOST_GROWTH: f64 = 0.015;

/// How often the growth may double while nothing is refused.
const MOST_DOUBLINGS: f64 = 3.0;

/// Without a refusal for so long, the next one is the first again.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// How fast a rate grows, a second, that is below this part of the one that was refused last.
const RETURN_GROWTH: f64 = 0.03;
const NEAR: f64 = 0.93;

/// After so long without a refusal the growth doubles.
const CALM: Duration = Duration::from_secs(20);

/// Answers are counted over at most this long.
const WINDOW: Duration = Duration::from_secs(10);

/// Without a request for so long, counting starts again: nothing was asked for, so little says nothing.
const IDLE: Duration = Duration::from_secs(5);

/// A pace beyond this is none: nothing is held back any more.
const FASTEST: f64 = 1_000.0;

/// The slowest pace, in requests a second.
const SLOWEST: f64 = 1.0 / 60.0;

/// The pace with which a provider is tried again that refused everything before any pace was learned, in requests a second.
const TRIED: f64 = 1.0;

/// The pace of requests to one provider.
#[derive(Debug, Clone)]
pub struct Pace {
    learned: Option<Learned>,
    /// The rate that was learned last from answers, not from their lack.
    proven: Option<f64>,
    /// Nothing goes before this moment.
    next: Instant,
    last_refusal: Option<Instant>,
    /// Since when answers are counted, and how many there were.
    since: Instant,
    answers: u32,
    last_request: Instant,
}

#[derive(Debug, Clone)]
struct Learned {
    /// Requests a second.
    rate: f64,
    /// The rate that was refused last.
    refused_rate: f64,
    /// Refusals in a row without an answer in between.
    in_vain: u32,
    /// When the rate grew last.
    grown: Instant,
    /// Whether somebody had to wait since the rate grew: one that holds nobody back does not grow.
    held_back: bool,
}

impl Pace {
    /// One that knows of no limit.
    pub fn new(now: Instant) -> Self {
        Self {
            learned: None,
            proven: None,
            next: now,
            last_refusal: None,
            since: now,
            answers: 0,
            last_request: now,
        }
    }

    /// Requests a second; `None` while no limit is known.
    #[cfg(test)]
    fn rate(&self) -> Option<f64> {
        self.learned.as_ref().map(|learned| learned.rate)
    }

    /// How long until the next request may go.
    pub fn wait(&mut self, now: Instant) -> Duration {
        let wait = self.next.saturating_duration_since(now);
        if let Some(learned) = &mut self.learned {
            learned.held_back |= !wait.is_zero();
        }
        wait
    }

    /// A request goes now.
    pub fn take(&mut self, now: Instant) {
        if now.saturating_duration_since(self.last_request) > IDLE {
            self.count_from(now);
        }
        self.last_request = now;
        if let Some(learned) = &mut self.learned {
            let calm = now.saturating_duration_since(self.last_refusal.unwrap_or(now));
            learned.grow(calm, now);
            self.next = self.next.max(now) + Duration::from_secs_f64(1.0 / learned.rate);
            if learned.rate > FASTEST {
                self.learned = None;
            }
        }
    }

    /// A request was answered.
    pub fn answered(&mut self, now: Instant) {
        self.answers += 1;
        // What refused everything is over: how slow it made us says nothing of how fast the provider is.
        if let Some(learned) = self.learned.as_mut().filter(|learned| learned.in_vain >= 2) {
            learned.in_vain = 0;
            learned.rate = learned.rate.max(self.proven.unwrap_or(TRIED));
            self.next = self.next.min(now + learned.spacing());
        }
        if now.saturating_duration_since(self.since) > WINDOW {
            // Half of what was counted stands for half of the time.
            self.answers /= 2;
            self.since += now.saturating_duration_since(self.since) / 2;
        }
    }

    /// A request, sent at that moment, was refused for coming too soon, and nothing will be sent for the time that the
    /// provider named, if it did. Says whether that is news: what was sent before the last refusal came is not.
    pub fn refused(&mut self, sent: Instant, pause: Option<Duration>, now: Instant) -> bool {
        if self.last_refusal.is_some_and(|last| sent <= last) {
            return false;
        }
        let elapsed = now.saturating_duration_since(self.since);
        let answers = f64::from(self.answers);
        let is_first = self
            .last_refusal
            .is_none_or(|last| now.saturating_duration_since(last) > FORGOTTEN);
        let learned = match &self.learned {
            None if is_first => None,
            // Nothing was answered at all: that is no rate.
            None if self.answers == 0 => Some((TRIED, TRIED, 2)),
            // A burst says little about more than a second.
            None => {
                let measured = answers / elapsed.max(SECOND).as_secs_f64();
                Some((measured * BACK, measured, 0))
            }
            // Nothing was answered since: what the last refusal said is said again while its window has not passed. Where
            // that lasts, others have used it up.
            Some(learned) if self.answers == 0 => {
                let kept = match learned.in_vain {
                    0 => 1.0,
                    1 => BACK,
                    _ => 0.5,
                };
                let asked_at_least = learned.rate.min(1.0 / LONGEST_HOLD.as_secs_f64());
                Some((
                    (learned.rate * kept).max(asked_at_least),
                    learned.rate,
                    learned.in_vain + 1,
                ))
            }
            Some(learned) => {
                let measured = (answers / elapsed.as_secs_f64()).max(learned.rate / 2.0);
                if elapsed >= SECOND && measured < learned.rate * FAR_OFF {
                    Some((measured, measured, 0))
                } else {
                    Some((learned.rate * BACK, learned.rate, 0))
                }
            }
        };
        let learned = learned.map(|(rate, refused_rate, in_vain)| Learned {
            rate: rate.max(SLOWEST),
            refused_rate,
            in_vain,
            grown: now,
            held_back: false,
        });
        let hold = match (&self.learned, &learned) {
            (Some(_), Some(learned)) if learned.in_vain == 0 => learned.spacing(),
            (_, Some(learned)) => {
                let hold = match learned.in_vain {
                    1 => REST_OF_A_WINDOW,
                    in_vain => SECOND * (1 << in_vain.saturating_sub(2).min(6)),
                };
                learned.spacing().max(hold.min(LONGEST_HOLD))
            }
            (_, None) => SECOND,
        };
        // Whoever is told when to come back need not guess.
        let hold = pause.unwrap_or(hold);
        if answers > 0.0 {
            let measured = answers / elapsed.max(SECOND).as_secs_f64();
            self.proven = Some(learned.as_ref().map_or(measured, |learned| learned.rate));
        }
        self.learned = learned;
        self.last_refusal = Some(now);
        self.next = self.next.max(now + hold);
        self.count_from(now + hold);
        true
    }

    /// Counts answers from that moment: what was before says nothing of how fast the provider is.
    pub fn count_from(&mut self, moment: Instant) {
        self.since = moment;
        self.answers = 0;
    }
}

impl Learned {
    /// The time between two requests.
    fn spacing(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.rate)
    }

    /// Grows by what it may since it grew last, so long after the last refusal.
    fn grow(&mut self, calm: Duration, now: Instant) {
        let elapsed = now.saturating_duration_since(self.grown);
        self.grown = now;
        if !std::mem::take(&mut self.held_back) {
            return;
        }
        let growth = if self.rate < self.refused_rate * NEAR {
            RETURN_GROWTH
        } else {
            let doublings = (calm.as_secs_f64() / CALM.as_secs_f64()).floor().min(MOST_DOUBLINGS);
            (GROWTH_PER_REQUEST * self.rate).min(MOST_GROWTH) * doublings.exp2()
        };
        // What was not asked for does not count: after a pause of the caller the rate is what it was.
        self.rate *= 1.0 + growth * elapsed.min(IDLE).as_secs_f64();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A provider that answers a fixed number of requests each second and refuses the rest.
    struct Fixed {
        allowed: u32,
        start: Instant,
        second: u64,
        used: u32,
    }

    impl Fixed {
        fn takes(&mut self, now: Instant) -> bool {
            let second = now.duration_since(self.start).as_secs();
            if second != self.second {
                (self.second, self.used) = (second, 0);
            }
            self.used += 1;
            self.used <= self.allowed
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn it_settles_within_a_twentieth_of_a_fixed_limit_and_is_seldom_refused(
            allowed in 5u32..200, latency in 5u64..400, callers in 1usize..16,
        ) {
            // Whoever calls one after the other can ask for no more than this.
            let demand = callers as f64 * 1_000.0 / latency as f64;
            prop_assume!(demand > 1.5 * f64::from(allowed));
            let start = Instant::now();
            let mut pace = Pace::new(start);
            let mut provider = Fixed { allowed, start, second: 0, used: 0 };
            let latency = Duration::from_millis(latency);
            // When each caller is free again, and the answer it waits for with the moment it was sent.
            let mut free = vec![(start, None::<(bool, Instant)>); callers];
            let (mut answered, mut refused) = (0_u32, 0_u32);
            let end = start + Duration::from_secs(150);
            loop {
                let (caller, &(now, answer)) =
                    free.iter().enumerate().min_by_key(|(_, (moment, _))| *moment).expect("there are callers");
                if now > end {
                    break;
                }
                if let Some((is_answered, sent)) = answer {
                    let counts = now > start + Duration::from_secs(30);
                    if is_answered {
                        pace.answered(now);
                        answered += u32::from(counts);
                    } else {
                        refused += u32::from(counts);
                        pace.refused(sent, None, now);
                    }
                    free[caller].1 = None;
                }
                let wait = pace.wait(now);
                free[caller] = if wait.is_zero() {
                    pace.take(now);
                    (now + latency, Some((provider.takes(now + latency / 2), now)))
                } else {
                    (now + wait, None)
                };
            }
            let rate = f64::from(answered) / 120.0;
            prop_assert!((0.95..=1.05).contains(&(rate / f64::from(allowed))), "{rate}/s of {allowed}/s");
            prop_assert!(f64::from(refused) < 0.02 * f64::from(answered + refused), "{refused} of {answered} refused");
        }
    }

    #[test]
    fn nothing_is_held_back_before_a_refusal_and_a_single_one_is_only_waited_out() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        for _ in 0..2 {
            for _ in 0..1_000 {
                assert_eq!(pace.wait(now), Duration::ZERO);
                pace.take(now);
                pace.answered(now);
            }
            assert!(pace.refused(now, None, now));
            assert!(!pace.refused(now, None, now), "what was sent before is no news");
            assert_eq!((pace.wait(now), pace.rate()), (SECOND, None));
            now += FORGOTTEN * 2;
        }
    }

    #[test]
    fn refusals_that_no_pace_keeps_away_do_not_bring_everything_to_a_halt() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        let start = now;
        for number in 1..2_000_u32 {
            now += pace.wait(now) + Duration::from_millis(1);
            pace.take(now);
            if number % 80 == 0 {
                pace.refused(now, None, now);
            } else {
                pace.answered(now);
            }
        }
        assert!(
            now.duration_since(start) < Duration::from_secs(60),
            "{:?}",
            now.duration_since(start)
        );
    }

    #[test]
    fn a_provider_that_refused_everything_for_minutes_is_at_work_again_soon_after_it_answers() {
        for (answers_before, refused_every) in [(0, 50), (200, 50), (200, 1_000)] {
            let mut now = Instant::now();
            let mut pace = Pace::new(now);
            for number in 0..answers_before {
                now += pace.wait(now) + Duration::from_millis(10);
                pace.take(now);
                match (number + 1) % refused_every {
                    0 => drop(pace.refused(now, None, now)),
                    _ => pace.answered(now),
                }
            }
            let end = now + Duration::from_secs(300);
            let mut in_vain = 0;
            while now < end {
                now += pace.wait(now);
                pace.take(now);
                now += Duration::from_millis(5);
                pace.refused(now - Duration::from_millis(5), None, now);
                in_vain += 1;
            }
            assert!((5..100).contains(&in_vain), "{in_vain} requests in five minutes");
            let start = now;
            for _ in 0..20 {
                now += pace.wait(now);
                pace.take(now);
                pace.answered(now);
            }
            let paced = if answers_before > 0 { 2 } else { 20 };
            let taken = now.duration_since(start);
            assert!(
                taken <= LONGEST_HOLD + Duration::from_secs(paced),
                "{taken:?} for 20 requests"
            );
        }
    }

    #[test]
    fn a_lifted_limit_is_noticed_within_minutes() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let mut now = start;
        for _ in 0..2 {
            (0..10).for_each(|_| pace.answered(now));
            let sent = now + Duration::from_millis(1);
            now += Duration::from_secs(1);
            assert!(pace.refused(sent, None, now));
        }
        assert!(pace.rate().is_some_and(|rate| rate < 20.0), "{:?}", pace.rate());
        let end = now + Duration::from_secs(180);
        while now < end && pace.rate().is_some() {
            now += pace.wait(now);
            pace.take(now);
            pace.answered(now);
        }
        assert!(pace.rate().is_none_or(|rate| rate > 100.0), "{:?}", pace.rate());
    }
}
