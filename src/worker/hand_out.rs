//! What the worker does with batches: whose turn it is, what one reads, and what follows when that fails.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vb_engine::policy::fairness::Turns;
use vb_engine::policy::pacing::Bounded;

use super::active_job::{ActiveJob, Again, JobContext, Urgency, Work};
use super::begin::Begun;
use super::day_quota::Held;
use super::dispatch::{self, Outset, Prepared, ReadLimits};
use super::look;
use super::main_loop::Worker;
use super::outcome::UNTIL_OTHERS_HAVE_SPENT;
use super::unreadable::{self, ReadFault};
use crate::catalog::batches;
use crate::catalog::collections::Stage;
use crate::catalog::jobs::Job;
use crate::error::{Result, VbError};
use crate::pg::signal;

/// The pause before it is looked again whether another batch is done with some records.
const UNTIL_WRITTEN: Duration = Duration::from_millis(30);

/// Whose bounds hold for a client's work.
fn bounds(client: i64, follows_changes: bool) -> Vec<Bounded> {
    match follows_changes {
        true => vec![Bounded::Client(client)],
        false => vec![Bounded::Client(client), Bounded::Backfills],
    }
}

impl Worker {
    /// Hands out batches while there is room, client by client in turn: changes first, which have room of their own.
    pub(super) fn hand_out(&mut self) -> Result<()> {
        self.hand_out_of(Urgency::Change)?;
        self.hand_out_of(Urgency::Backfill)
    }

    fn hand_out_of(&mut self, urgency: Urgency) -> Result<()> {
        // One at least, however much there is to look at.
        let mut first = true;
        while self.engine.bytes_in_flight() < self.settings.memory_limit / 2
            && (std::mem::take(&mut first) || Instant::now() < self.next_look())
        {
            if signal::termination_requested() {
                return Ok(());
            }
            let Some(position) = self.next_job(urgency) else {
                return Ok(());
            };
            let active = &mut self.jobs[position];
            let (client, priority) = (active.context.job.client_id, active.priority);
            let bounded = bounds(client, active.following.is_some());
            let begun = Instant::now();
            let (records, embedded, is_held) = match active.take(Instant::now(), urgency, self.pacing.most(&bounded)) {
                Some(Work::Embed(again)) => (
                    again.record_ids.len(),
                    again.record_ids.len(),
                    self.embed(position, again)?,
                ),
                Some(Work::Remove(gone)) => (gone.len(), 0, self.remove(position, gone)?),
                None => return Ok(()),
            };
            if !is_held {
                // What takes the worker's own time is a share of it, too.
                let milliseconds = usize::try_from(begun.elapsed().as_millis()).unwrap_or(usize::MAX);
                self.turns_of(urgency)
                    .charge(client, records.saturating_add(milliseconds), priority);
                self.pacing.take(&bounded, embedded, Instant::now());
            }
        }
        Ok(())
    }

    fn turns_of(&mut self, urgency: Urgency) -> &mut Turns {
        match urgency {
            Urgency::Change => &mut self.turns_of_changes,
            Urgency::Backfill => &mut self.turns,
        }
    }

    /// Whether a provider has as many batches this urgent as it may have. Each has room of its own, so that one that is slow,
    /// throttled or out of order holds up nobody else's jobs.
    fn is_full(&self, provider: &str, urgency: Urgency) -> bool {
        let its = self
            .busy()
            .filter(|batch| batch.urgency == urgency && batch.context.provider.name == provider);
        its.count() >= self.settings.max_concurrent_batches
    }

    /// How long a job has to wait for the bounds of its client or of all.
    pub(super) fn pace_of(&self, active: &ActiveJob) -> Duration {
        self.pacing.wait(
            &bounds(active.context.job.client_id, active.following.is_some()),
            Instant::now(),
        )
    }

    /// Whether a job does not work at this hour. Changes are followed at any.
    pub(super) fn is_closed(&self, active: &ActiveJob) -> bool {
        active.following.is_none() && self.closed.is_for(active.context.job.client_id)
    }

    /// The job whose turn it is; none while a suspect is alone in flight or waits for that.
    fn next_job(&mut self, urgency: Urgency) -> Option<usize> {
        if self.busy().any(|batch| batch.suspect) {
            return None;
        }
        let now = Instant::now();
        let idle = self.in_flight.is_empty();
        // A suspect does not run beside those that wait for a store, and holds up nobody who does not wait.
        let store_is_away = self.busy().count() < self.in_flight.len();
        // A collection that is complete takes over once nothing in flight writes to the one that serves.
        let complete: Vec<&Job> = self
            .jobs
            .iter()
            .filter(|active| {
                active.context.collection.stage == Stage::Building
                    && (active.is_looked_at || active.wants_sweep(now))
                    && !self.is_closed(active)
            })
            .map(|active| &active.context.job)
            .collect();
        let makes_way = |job: &Job| complete.iter().any(|other| other.is_about_the_same(job));
        let ready: Vec<usize> = (0..self.jobs.len())
            .filter(|position| {
                let active = &self.jobs[*position];
                let waits = self.is_waited_for(active.context.collection.store);
                active.is_ready(now, urgency, idle)
                    && !waits
                    && !makes_way(&active.context.job)
                    && !self.is_full(&active.context.provider.name, urgency)
                    && !active.is_full()
                    && !self.is_closed(active)
                    && self
                        .pacing
                        .wait(&bounds(active.context.job.client_id, active.following.is_some()), now)
                        .is_zero()
            })
            .collect();
        if idle
            && let Some(suspected) = ready
                .iter()
                .copied()
                .find(|position| self.jobs[*position].has_suspect())
        {
            return Some(suspected);
        }
        let suspected = self
            .jobs
            .iter()
            .any(|active| active.has_suspect() && !self.is_closed(active));
        if !idle && !store_is_away && suspected {
            return None;
        }
        // The best job of each client that has one: of two with the same priority the one whose vectors serve. Changes of all
        // its sources take turns.
        let rank = |position: usize| {
            let active = &self.jobs[position];
            match urgency {
                Urgency::Change => (0, false, Some(Reverse(active.served_at))),
                Urgency::Backfill => (active.priority, !active.context.job.reembed, None),
            }
        };
        let mut best: Vec<usize> = Vec::new();
        for position in ready {
            let job = &self.jobs[position].context.job;
            match best
                .iter_mut()
                .find(|other| self.jobs[**other].context.job.client_id == job.client_id)
            {
                Some(other) if rank(*other) < rank(position) => *other = position,
                Some(_) => {}
                None => best.push(position),
            }
        }
        let clients: Vec<i64> = best
            .iter()
            .map(|position| self.jobs[*position].context.job.client_id)
            .collect();
        self.turns_of(urgency).next(&clients).map(|index| best[index])
    }

    /// Records that another batch in flight writes to the same collection: what each makes of them must not be mixed up.
    fn without_those_in_flight(&mut self, position: usize, again: Again) -> Option<Again> {
        let collection = self.jobs[position].context.collection.id;
        let mut others = self
            .in_flight
            .values()
            .filter(|batch| batch.context.collection.id == collection)
            .peekable();
        if others.peek().is_none() {
            return Some(again);
        }
        let written: HashSet<&String> = others
            .flat_map(|batch| batch.record_ids.iter().chain(&batch.gone))
            .collect();
        let is_written = |record_id: &String| written.contains(record_id);
        if !again.record_ids.iter().any(is_written) {
            return Some(again);
        }
        let later = Instant::now() + UNTIL_WRITTEN;
        // A batch that has a row of its own is kept together.
        let (waiting, free): (Vec<String>, Vec<String>) = match again.batch_id {
            Some(_) => (again.record_ids.clone(), Vec::new()),
            None => again.record_ids.iter().cloned().partition(is_written),
        };
        let part = |record_ids, not_before| Again {
            record_ids,
            not_before,
            ..again
        };
        let (waiting, free) = (part(waiting, later), part(free, again.not_before));
        self.jobs[position].again.push(waiting);
        (!free.record_ids.is_empty()).then_some(free)
    }

    /// Whether nothing was begun, since the client is held or others are at these records.
    fn embed(&mut self, position: usize, again: Again) -> Result<bool> {
        let Some(again) = self.without_those_in_flight(position, again) else {
            return Ok(true);
        };
        // Half of what all may take, so that there is room for batches of another provider.
        let limits = ReadLimits {
            bytes: self.settings.memory_limit / 4 / self.settings.max_concurrent_batches.max(1),
            time: self.settings.source_timeout,
        };
        let active = &self.jobs[position];
        let context = Arc::clone(&active.context);
        let of_client = self
            .in_flight
            .values()
            .filter(|batch| batch.context.job.client_id == context.job.client_id);
        let in_flight = of_client
            .map(|batch| batch.record_ids.len() - batch.changed.len())
            .sum();
        let prepared = self.begin_with(&context, |installation| {
            dispatch::prepare(installation, active, &again, &limits, in_flight)
        });
        match prepared {
            Ok(Begun::Held) => {
                self.jobs[position].again.push(again);
                self.rest_while_held(position)?;
                Ok(true)
            }
            Ok(Begun::Gone) => Ok(false),
            Ok(Begun::Moved) => {
                self.look_again(context.job.id);
                Ok(false)
            }
            Ok(Begun::Done(Outset {
                batch,
                rest,
                settled,
                held,
            })) => {
                self.freshness.note(context.job.source, settled);
                let active = &mut self.jobs[position];
                match (&mut active.following, again.urgency) {
                    (Some(following), Urgency::Change) => following.add(rest, Instant::now()),
                    _ => rest
                        .into_iter()
                        .rev()
                        .for_each(|record_id| active.todo.push_front(record_id)),
                }
                if held == Some(Held::ForBatches) {
                    active.rest_until(Instant::now() + UNTIL_OTHERS_HAVE_SPENT);
                }
                if let Some(prepared) = batch {
                    self.submit(position, prepared);
                }
                if held == Some(Held::ForTomorrow) {
                    self.deactivate(context.job.id);
                }
                Ok(false)
            }
            Err(error) => self.read_failed(position, again, &error).map(|()| false),
        }
    }

    fn read_failed(&mut self, position: usize, again: Again, error: &VbError) -> Result<()> {
        let context = Arc::clone(&self.jobs[position].context);
        if self.looks_again_if_changed(&context)? {
            return Ok(());
        }
        match unreadable::read_fault(error, &again) {
            ReadFault::Halves(halves) => {
                if let Some(batch_id) = again.batch_id {
                    self.transact(|installation| batches::end(installation, batch_id))?;
                }
                self.jobs[position].again.extend(halves);
                Ok(())
            }
            ReadFault::SetAside(record_id) => self
                .transact(|installation| unreadable::set_aside(installation, &context, &again, &record_id, error))
                .map(|_| ()),
            ReadFault::Job => self.stop_or_look_again(context.job.id, error),
        }
    }

    /// Whether the source is not what the job works with, which explains any error.
    fn looks_again_if_changed(&mut self, context: &JobContext) -> Result<bool> {
        let is_unchanged = self.transact(|installation| Ok(look::is_unchanged(installation, context)))?;
        let is_changed = is_unchanged == Some(false);
        if is_changed {
            self.look_again(context.job.id);
        }
        Ok(is_changed)
    }

    /// Whether the client was held, so that nothing was begun.
    fn remove(&mut self, position: usize, gone: Vec<String>) -> Result<bool> {
        let collection = self.jobs[position].context.collection.id;
        let others = self
            .in_flight
            .values()
            .filter(|batch| batch.context.collection.id == collection);
        let written: HashSet<&String> = others
            .flat_map(|batch| batch.record_ids.iter().chain(&batch.gone))
            .collect();
        let (waiting, gone): (Vec<String>, Vec<String>) =
            gone.into_iter().partition(|record_id| written.contains(record_id));
        if !waiting.is_empty() {
            self.jobs[position].gone.extend(waiting);
            if gone.is_empty() {
                self.jobs[position].rest_until(Instant::now() + UNTIL_WRITTEN);
                return Ok(true);
            }
        }
        let active = &self.jobs[position];
        let context = Arc::clone(&active.context);
        let time = self.settings.source_timeout;
        let prepared = self.begin_with(&context, |installation| {
            dispatch::prepare_removal(installation, active, gone.clone(), time)
        });
        match prepared {
            Ok(Begun::Held) => {
                self.jobs[position].gone.extend(gone);
                self.rest_while_held(position)?;
                return Ok(true);
            }
            Ok(Begun::Gone | Begun::Done(None)) => {}
            Ok(Begun::Moved) => self.look_again(context.job.id),
            Ok(Begun::Done(Some(prepared))) => self.submit(position, prepared),
            Err(error) if !self.looks_again_if_changed(&context)? => {
                self.stop_or_look_again(context.job.id, &error)?;
            }
            Err(_) => {}
        }
        Ok(false)
    }

    fn submit(&mut self, position: usize, (batch, in_flight): Prepared) {
        self.jobs[position].begun(in_flight.urgency, Instant::now());
        self.in_flight.insert(batch.id, in_flight);
        self.engine.submit(batch);
    }
}
