//! How the worker follows changes: takes over what triggers have noted, notices tables that are not what they were, and has the
//! job of each client, source and vector type look at its records.

use std::time::{Duration, Instant};

use super::active_job::ActiveJob;
use super::following::UNTIL_IDLE;
use super::look::Look;
use super::main_loop::Worker;
use super::take_over::take_over;
use crate::catalog::changes;
use crate::catalog::jobs;
use crate::catalog::seen::Seen;
use crate::catalog::syncs::{self, Recorded};
use crate::error::Result;
use crate::fault::Fault;
use crate::source::work_list::Comparison;

/// How often changes are taken over where sources are kept in step.
const INTERVAL: Duration = Duration::from_millis(200);

/// How often it is looked whether there are such sources, and what they look like.
const LAYOUT_INTERVAL: Duration = Duration::from_secs(1);

/// How often nothing is taken for seen.
const THOROUGH_INTERVAL: Duration = Duration::from_secs(60);

/// The pauses after something that may pass by itself: before changes are taken over again, and before tables are looked at.
const AFTER_A_FAULT: Duration = Duration::from_secs(1);
const AFTER_A_LOCK: Duration = Duration::from_secs(10);

/// Changes that are taken over at a time.
const AT_A_TIME: i64 = 20_000;

/// Pending records of a client, source and vector type above which all of its rows are looked at instead.
pub(super) const MOST_RECORDS: usize = 20_000;

/// Jobs of changes that are at hand at a time.
const ACTIVE_JOBS: usize = 256;

/// Jobs that leave their places at a time when all are taken.
const GIVING_WAY: usize = 16;

/// How long jobs are made active before something else has its turn.
const ACTIVATION_TIME: Duration = Duration::from_millis(100);

/// What the worker knows of changes.
#[derive(Debug)]
pub(super) struct Follow {
    seen: Seen,
    pub(super) sources: Vec<Recorded>,
    next_take: Instant,
    next_layout: Instant,
    /// When nothing is taken for seen and everything is looked at again.
    next_thorough_look: Instant,
    /// Whether jobs that are not at hand may have changes.
    may_wait: bool,
}

impl Follow {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            seen: Seen::nothing(),
            sources: Vec::new(),
            next_take: now,
            next_layout: now,
            next_thorough_look: now,
            may_wait: true,
        }
    }

    /// When the next look is due.
    pub(super) fn next(&self) -> Instant {
        if self.sources.is_empty() {
            self.next_layout
        } else {
            self.next_take.min(self.next_layout)
        }
    }
}

impl Worker {
    /// Follows changes, as often as that is due: what was changed first, then whatever else there is to look at.
    pub(super) fn follow_changes(&mut self) -> Result<()> {
        let now = Instant::now();
        if now >= self.follow.next_take && !self.follow.sources.is_empty() {
            self.follow.next_take = now + INTERVAL;
            let taken = self.take_changes();
            if !self.or_later(taken)? {
                self.follow.next_take = Instant::now() + AFTER_A_FAULT;
            }
        }
        if now >= self.follow.next_layout {
            let looked = self.look_at_layouts();
            let looked = self.or_later(looked)?;
            let written = self.write_freshness();
            let written = self.or_later(written)?;
            self.follow.may_wait = true;
            self.follow.next_layout = Instant::now()
                + match (looked && written, self.follow.sources.is_empty()) {
                    (false, _) => AFTER_A_LOCK,
                    (true, true) => self.settings.poll_interval,
                    (true, false) => LAYOUT_INTERVAL,
                };
        }
        if self.follow.sources.is_empty() {
            return Ok(());
        }
        if now >= self.follow.next_thorough_look {
            self.follow.next_thorough_look = now + THOROUGH_INTERVAL;
            let looked = self.look_thoroughly();
            self.or_later(looked)?;
        }
        let ended = self.end_idle(UNTIL_IDLE);
        self.or_later(ended)?;
        let activated = self.activate_waiting();
        self.or_later(activated)?;
        Ok(())
    }

    /// Whether it was done. What a lock of somebody else kept from being done is tried again later, and keeps nothing else
    /// from it.
    fn or_later(&self, done: Result<()>) -> Result<bool> {
        match done {
            Err(error) if Fault::of(&error) == Fault::Later => {
                pgrx::log!("vector_backfill follows changes later: {}", error.message);
                Ok(false)
            }
            done => done.map(|()| true),
        }
    }

    /// What somebody has restored is new, whatever number it has, and nobody has opened a job for it.
    fn look_thoroughly(&mut self) -> Result<()> {
        self.follow.seen = Seen::nothing();
        self.transact(|installation| {
            let owners = changes::owners(installation, None)?;
            jobs::open_for_changes(installation, &owners)
        })?;
        self.follow.may_wait = true;
        Ok(())
    }

    /// Changes are looked for at once.
    pub(super) fn look_for_changes(&mut self) {
        let now = Instant::now();
        self.follow.next_take = now;
        self.follow.next_layout = now;
    }

    /// Jobs at hand of which everything is to be looked at.
    pub(super) fn take_marks(&mut self) -> Result<()> {
        let following = self
            .jobs
            .iter()
            .enumerate()
            .filter(|(_, active)| active.following.is_some());
        let following: Vec<usize> = following.map(|(position, _)| position).collect();
        if following.is_empty() {
            return Ok(());
        }
        let numbers = self.transact(|installation| {
            let everything = changes::everything(installation)?;
            Ok(following
                .into_iter()
                .map(|position| {
                    let owner = self.jobs[position].context.owner();
                    let number = everything.iter().find(|(client_id, source, vector_type, _)| {
                        (*client_id, *source, vector_type.as_str())
                            == (owner.client_id, owner.source, owner.vector_type)
                    });
                    (position, number.map(|found| found.3))
                })
                .collect::<Vec<_>>())
        })?;
        for (position, number) in numbers.unwrap_or_default() {
            if let Some(following) = &mut self.jobs[position].following {
                following.everything = number;
            }
        }
        Ok(())
    }

    /// Jobs at hand that know of nothing, although something of theirs is pending: somebody has put it there.
    pub(super) fn take_forgotten(&mut self) -> Result<()> {
        if !self.jobs.iter().any(ActiveJob::knows_of_none) {
            return Ok(());
        }
        let found = self.transact(|installation| {
            let mut found = Vec::new();
            for (position, active) in self
                .jobs
                .iter()
                .enumerate()
                .filter(|(_, active)| active.knows_of_none())
            {
                let pending = changes::of_owner(installation, active.context.owner(), MOST_RECORDS as i64)?;
                found.push((position, pending.record_ids));
            }
            Ok(found)
        })?;
        for (position, record_ids) in found.unwrap_or_default() {
            if let Some(following) = self.jobs[position]
                .following
                .as_mut()
                .filter(|_| !record_ids.is_empty())
            {
                following.add(record_ids, Instant::now());
            }
        }
        Ok(())
    }

    fn write_freshness(&mut self) -> Result<()> {
        if !self.freshness.has_news() {
            return Ok(());
        }
        self.transact(|installation| self.freshness.write(installation))?;
        self.freshness.written();
        Ok(())
    }

    /// Takes over what was committed since the last look.
    fn take_changes(&mut self) -> Result<()> {
        let taken = self.transact(|installation| {
            let now = Seen::now(installation)?;
            let taken = changes::take(installation, &self.follow.seen, AT_A_TIME)?;
            // What was left over is looked for again.
            let seen = (!taken.has_more).then_some(now);
            if taken.changes.is_empty() {
                return Ok((seen, Vec::new()));
            }
            // As they are by now: what was noted may be of one that is new.
            let sources = syncs::all(installation)?;
            let taken = take_over(installation, &sources, taken.changes)?;
            Ok((seen, taken))
        })?;
        let Some((seen, taken)) = taken else { return Ok(()) };
        match seen {
            Some(seen) => self.follow.seen = seen,
            None => self.follow.next_take = Instant::now(),
        }
        let now = Instant::now();
        let mut has_marks = false;
        for of_one in taken {
            let position = self.jobs.iter().position(|active| {
                let owner = active.context.owner();
                active.following.is_some()
                    && (owner.client_id, owner.source, owner.vector_type)
                        == (of_one.client_id, of_one.source, of_one.vector_type.as_str())
            });
            let Some(following) = position.and_then(|position| self.jobs[position].following.as_mut()) else {
                self.follow.may_wait = true;
                continue;
            };
            following.add(of_one.record_ids, now);
            has_marks |= of_one.everything;
        }
        if has_marks {
            self.take_marks()?;
        }
        self.fold_long_queues()
    }

    fn fold_long_queues(&mut self) -> Result<()> {
        let is_long = |active: &ActiveJob| {
            active
                .following
                .as_ref()
                .is_some_and(|following| following.len() > MOST_RECORDS)
        };
        while let Some(position) = self.jobs.iter().position(is_long) {
            let context = self.jobs[position].context.clone();
            let number = self.transact(|installation| {
                changes::fold(installation, context.owner())?;
                Ok(changes::of_owner(installation, context.owner(), 1)?.everything)
            })?;
            if let Some(following) = &mut self.jobs[position].following {
                following.fold(number.flatten());
            }
        }
        Ok(())
    }

    /// Jobs without changes for so long are completed until there are some.
    fn end_idle(&mut self, time: Duration) -> Result<()> {
        let now = Instant::now();
        let is_idle = |active: &ActiveJob| active.is_idle(now, time);
        while let Some(position) = self.jobs.iter().position(is_idle) {
            let active = self.jobs.remove(position);
            let context = active.context.clone();
            self.transact(|installation| {
                // Whoever adds some without noting them locks the job as well.
                jobs::lock(installation, context.job.id)?;
                let pending = changes::of_owner(installation, context.owner(), 1)?;
                if pending.record_ids.is_empty() && pending.everything.is_none() {
                    jobs::complete(installation, context.job.id)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Some jobs leave their places to others that wait; what they have to do is written down.
    fn give_way(&mut self) {
        let resting = self
            .jobs
            .iter()
            .filter(|active| active.following.is_some() && active.in_flight == 0 && !active.is_looked_at);
        let leaving: Vec<i64> = resting.take(GIVING_WAY).map(|active| active.context.job.id).collect();
        for job in leaving {
            self.deactivate(job);
        }
    }

    /// Makes jobs active that wait with changes.
    fn activate_waiting(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.follow.may_wait) {
            return Ok(());
        }
        let at_hand: Vec<i64> = self.active_jobs();
        let count = |worker: &Self| worker.jobs.iter().filter(|active| active.following.is_some()).count();
        if count(self) >= ACTIVE_JOBS {
            self.end_idle(Duration::ZERO)?;
        }
        if count(self) >= ACTIVE_JOBS {
            self.give_way();
        }
        let room = ACTIVE_JOBS.saturating_sub(count(self)) as i64;
        let waiting = self.transact(|installation| jobs::waiting_for_changes(installation, &at_hand, room))?;
        let until = Instant::now() + ACTIVATION_TIME;
        let now = Instant::now();
        self.locked.retain(|_, until| *until > now);
        let waiting = waiting.unwrap_or_default();
        self.follow.may_wait = waiting.len() as i64 == room;
        for job in waiting {
            if !self.may_begin(&job) {
                continue;
            }
            if Instant::now() >= until {
                self.follow.may_wait = true;
                return Ok(());
            }
            self.activate_or_leave(job, Comparison::Texts, Look::IfShort);
        }
        Ok(())
    }
}
