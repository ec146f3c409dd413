//! What the worker does with outcomes: each is recorded, now or later, and its job goes on or stops.

use std::io::Read;
use std::time::{Duration, Instant};

use vb_engine::batch::{BatchResult, FailureClass, Origin, Outcome};
use vb_engine::provider::config::ProviderConfig;

use super::budgets;
use super::main_loop::Worker;
use super::outcome::{self, Consequence, Elsewhere};
use super::provider_choice;
use crate::catalog::{batches, jobs};
use crate::error::{Result, VbError};
use crate::fault::Fault;

/// The pause before an outcome is tried again that something kept from being recorded.
const UNTIL_RECORDED: Duration = Duration::from_millis(300);

impl Worker {
    /// Takes all outcomes that wait; `None` when the extension is gone.
    pub(super) fn take_outcomes(&mut self) -> Result<Option<()>> {
        let mut bytes = [0; 256];
        while matches!(self.wake.read(&mut bytes), Ok(count) if count > 0) {}
        while let Some(outcome) = self.engine.try_outcome() {
            self.unrecorded.push(outcome);
        }
        self.renew_lost(false)?;
        // Each is tried once a turn, in order. The store has its points: it must be recorded, now or later, and whatever
        // keeps one from it keeps no other.
        let now = Instant::now();
        self.unrecordable.retain(|_, until| *until > now);
        let mut outcomes = std::mem::take(&mut self.unrecorded).into_iter();
        // Behind the others of their jobs, which may not be kept from it.
        let mut failed = Vec::new();
        while let Some(outcome) = outcomes.next() {
            if self.unrecordable.contains_key(&outcome.job_id) {
                self.unrecorded.push(outcome);
                continue;
            }
            match self.record(&outcome) {
                Ok(Some(consequence)) => self.settle(outcome, consequence),
                Ok(None) => return Ok(None),
                Err(error) if matches!(Fault::of(&error), Fault::Later | Fault::Interrupted) => {
                    pgrx::log!(
                        "vector_backfill records batch {} later: {}",
                        outcome.batch_id,
                        error.message
                    );
                    self.leave_alone(outcome.job_id);
                    failed.push(outcome);
                }
                Err(error) => {
                    if let Err(error) = self.give_up(&outcome, &error) {
                        self.unrecorded.push(outcome);
                        self.unrecorded.extend(outcomes);
                        self.unrecorded.extend(failed);
                        return Err(error);
                    }
                }
            }
        }
        self.unrecorded.extend(failed);
        Ok(Some(()))
    }

    /// Whoever has a job's row locked holds up this job and no other: none of its outcomes is tried for a moment, it begins
    /// nothing, and its batches take nobody's room.
    fn leave_alone(&mut self, job: i64) {
        let until = Instant::now() + UNTIL_RECORDED;
        if let Some(active) = self.jobs.iter_mut().find(|active| active.context.job.id == job) {
            active.rest_until(until);
        }
        self.unrecordable.insert(job, until);
    }

    /// A batch that can never be recorded pauses its job, which finds the same records again when it is resumed.
    fn give_up(&mut self, outcome: &Outcome, error: &VbError) -> Result<()> {
        self.transact(|installation| batches::end(installation, outcome.batch_id))?;
        self.in_flight.remove(&outcome.batch_id);
        self.stop(outcome.job_id, error)
    }

    /// Writes an outcome down and says what follows from it.
    fn record(&mut self, outcome: &Outcome) -> Result<Option<Consequence>> {
        let Some(in_flight) = self.in_flight.get(&outcome.batch_id) else {
            return Ok(Some(Consequence::GoOn));
        };
        let failure = outcome::failure(outcome, in_flight);
        let by_provider = failure.filter(|failure| failure.origin == Origin::Provider);
        if let Some(failure) = by_provider.filter(|failure| failure.class == FailureClass::Configuration) {
            self.troubles.note(&in_flight.context.provider, &failure.message);
        }
        let in_flight = &self.in_flight[&outcome.batch_id];
        let context = &in_flight.context;
        let trouble = |config: &ProviderConfig| self.troubles.of(&self.engine, config);
        let active = self.jobs.iter().find(|active| active.context.job.id == outcome.job_id);
        let batches = self
            .in_flight
            .iter()
            .any(|(id, other)| *id != outcome.batch_id && other.context.job.id == outcome.job_id);
        self.transact(|installation| {
            jobs::lock_at_once(installation, outcome.job_id)?;
            let provider = by_provider.is_some()
                && provider_choice::has_better(
                    installation,
                    &self.settings,
                    &trouble,
                    context.job.client_id,
                    &context.collection,
                    &context.provider,
                )?;
            let mut consequence = outcome::consequence(failure, in_flight, Elsewhere { provider, batches });
            let is_for_limits = failure.is_some_and(|failure| failure.origin == Origin::Budget);
            if consequence == Consequence::Pause && is_for_limits {
                budgets::refresh_for_good(installation, self.engine.client_budgets(), context)?;
                // They may have been raised since.
                if context.purse.has_changed_since(in_flight.begun_at) {
                    consequence = Consequence::GoOn;
                }
            }
            outcome::record(installation, outcome, in_flight, active, consequence)?;
            Ok(consequence)
        })
    }

    /// What follows for the job once the outcome is recorded.
    fn settle(&mut self, outcome: Outcome, consequence: Consequence) {
        let Some(in_flight) = self.in_flight.remove(&outcome.batch_id) else {
            return;
        };
        in_flight.context.purse.record(outcome.spent.tokens);
        self.samples.note(&outcome, &in_flight, Instant::now());
        if let BatchResult::Done { left, .. } = &outcome.result {
            let left: &[String] = left.as_ref().map_or(&[], |left| &left.record_ids);
            let done = in_flight
                .changes
                .iter()
                .filter(|(record_id, _)| !left.contains(record_id));
            let done = done.map(|(_, numbered)| *numbered).collect();
            self.freshness.note(in_flight.context.job.source, done);
        }
        let Some(position) = self
            .jobs
            .iter()
            .position(|active| active.context.job.id == outcome.job_id)
        else {
            return;
        };
        self.jobs[position].ended(in_flight.urgency, Instant::now());
        match consequence {
            Consequence::GoOn => outcome::settle(&mut self.jobs[position], outcome, in_flight, rand::random()),
            Consequence::Pause => self.deactivate(outcome.job_id),
            // What is left comes up again when the job becomes active with the other provider.
            Consequence::FailOver => self.look_again(outcome.job_id),
        }
    }
}
