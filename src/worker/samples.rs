//! What jobs do, written down every few seconds for charts. What cannot be written waits for the next time and keeps nothing
//! else waiting.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use vb_engine::batch::{BatchResult, Outcome};

use super::dispatch::InFlight;
use super::main_loop::Worker;
use crate::catalog::samples::{self, Sample};

/// Time between two samples of a job.
const INTERVAL: Duration = Duration::from_secs(5);

/// Batches whose latency a sample remembers; of more, the latest.
const MOST_LATENCIES: usize = 1_000;

/// What jobs did since their last samples.
#[derive(Debug)]
pub(super) struct Samples {
    next: Instant,
    jobs: HashMap<i64, Doing>,
}

/// What one of them did.
#[derive(Debug)]
struct Doing {
    since: Instant,
    until: Instant,
    /// When it was last known to do something, or to have something to do.
    seen: Instant,
    /// Whether it follows upon another sample: then it lasts as long as that, since batches end together with those before.
    follows: bool,
    records: i64,
    failed: i64,
    tokens: i64,
    batches: i32,
    latencies: VecDeque<Duration>,
}

impl Samples {
    /// Nothing to write yet.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            next: now + INTERVAL,
            jobs: HashMap::new(),
        }
    }

    /// An outcome was recorded. What failed or was cancelled as a whole cost tokens perhaps and is no batch that was done.
    pub(super) fn note(&mut self, outcome: &Outcome, in_flight: &InFlight, now: Instant) {
        let begun_at = in_flight.begun_at;
        let doing = self
            .jobs
            .entry(outcome.job_id)
            .or_insert_with(|| Doing::lasting(begun_at, now));
        (doing.until, doing.seen) = (now, now);
        doing.tokens += outcome.spent.tokens as i64;
        let BatchResult::Done { embedded, failed, .. } = &outcome.result else {
            return;
        };
        doing.records += (embedded.len() + in_flight.changed.len() + failed.len()) as i64;
        doing.failed += failed.len() as i64;
        doing.batches += 1;
        if doing.latencies.len() == MOST_LATENCIES {
            doing.latencies.pop_front();
        }
        doing.latencies.push_back(now.saturating_duration_since(begun_at));
    }
}

impl Doing {
    fn lasting(since: Instant, until: Instant) -> Self {
        Self {
            since,
            until,
            seen: until,
            follows: false,
            records: 0,
            failed: 0,
            tokens: 0,
            batches: 0,
            latencies: VecDeque::new(),
        }
    }

    fn sample(&self, job: i64) -> Sample {
        let mut sorted: Vec<Duration> = self.latencies.iter().copied().collect();
        sorted.sort_unstable();
        // The one that so many in a hundred do not exceed.
        let at = |hundredth: usize| {
            sorted
                .get((sorted.len() * hundredth).div_ceil(100).saturating_sub(1))
                .copied()
        };
        Sample {
            job,
            covers: self.until.saturating_duration_since(self.since),
            records: self.records,
            failed: self.failed,
            tokens: self.tokens,
            batches: self.batches,
            latencies: at(50).zip(at(95)),
        }
    }
}

impl Worker {
    /// Writes samples down, now and then: of jobs that are worked at, and of those that ended since the last time.
    pub(super) fn report_samples(&mut self) {
        let now = Instant::now();
        if now < self.samples.next {
            return;
        }
        self.samples.next = now + INTERVAL;
        self.report_samples_now(now);
    }

    /// Writes down what there is.
    pub(super) fn report_samples_now(&mut self, now: Instant) {
        for active in &self.jobs {
            let job = active.context.job.id;
            match self.samples.jobs.get_mut(&job) {
                Some(doing) => (doing.until, doing.seen) = (now, now),
                None if active.has_work() => {
                    let batches = self.in_flight.values().filter(|batch| batch.context.job.id == job);
                    // How long it has been at nothing before is not known.
                    let since = batches.map(|batch| batch.begun_at).min().unwrap_or(now);
                    self.samples.jobs.insert(job, Doing::lasting(since, now));
                }
                None => {}
            }
        }
        for doing in self.samples.jobs.values_mut().filter(|doing| doing.follows) {
            doing.until = now;
        }
        let samples: Vec<Sample> = self
            .samples
            .jobs
            .iter()
            .map(|(job, doing)| doing.sample(*job))
            .filter(|sample| !sample.covers.is_zero())
            .collect();
        if samples.is_empty() {
            return;
        }
        let written = match self.transact(|installation| samples::add(installation, &samples)) {
            Ok(written) => written.unwrap_or_default(),
            Err(error) => {
                pgrx::log!("vector_backfill writes down later what jobs did: {}", error.message);
                return;
            }
        };
        let busy = self.jobs.iter().filter(|active| active.has_work());
        let busy: Vec<i64> = busy.map(|active| active.context.job.id).collect();
        // Of those that have nothing to do there is nothing to say until they have.
        for job in written {
            self.samples.jobs.remove(&job);
            if busy.contains(&job) {
                let doing = Doing {
                    follows: true,
                    ..Doing::lasting(now, now)
                };
                self.samples.jobs.insert(job, doing);
            }
        }
        // The others are gone with their jobs, or locked for long.
        self.samples
            .jobs
            .retain(|_, doing| now.saturating_duration_since(doing.seen) < 12 * INTERVAL);
    }
}
