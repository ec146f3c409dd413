//! Long looks at sources, which readers make while the worker goes on: asked for, taken, given up.

use std::time::{Duration, Instant};

use uuid::Uuid;

use super::begin::UNTIL_LET_GO;
use super::look::Look;
use super::look_order::{Answer, Order, Place};
use super::main_loop::Worker;
use super::watch_jobs::LATER;
use crate::catalog::jobs::Job;
use crate::error::{Result, VbError};
use crate::fault::Fault;
use crate::pg::lock::{self, ClientKept};
use crate::pg::process::{self, ReaderProcess};
use crate::source::work_list::Comparison;

/// Readers at a time: the second is for those who would wait for one that looks at a very large source. The server's slots for
/// processes are for others, too.
const MOST_READERS: usize = 2;

/// A look that a reader makes.
pub(super) struct Reading {
    order: Box<Order>,
    purpose: Purpose,
    place: Place,
    process: ReaderProcess,
    /// What was found holds only as long as nobody else changes what there is of the client.
    _kept: ClientKept,
}

/// What a look is for.
pub(super) enum Purpose {
    /// A job is to become active.
    Activation(Job, Comparison),
    /// An active job has done what it knew of; where changes are followed, everything up to the change with this number is to
    /// be looked at.
    Sweep(Option<i64>),
}

impl Worker {
    /// Has a reader make a look. False when there is none: the server has no slot for it, or the folder cannot be written to.
    pub(super) fn ask(&mut self, order: Box<Order>, purpose: Purpose) -> bool {
        if self.look_here.remove(&order.job) {
            return false;
        }
        // One for a client: what is slow on purpose holds up nobody else.
        let is_looked_at = |reading: &Reading| reading.order.client_id == order.client_id;
        if self.readings.len() >= MOST_READERS || self.readings.iter().any(is_looked_at) {
            self.awaiting_reader.insert(order.job);
            return true;
        }
        let Some(kept) = lock::keep_client(self.database, order.client_id) else {
            self.put_off_look(order.job, UNTIL_LET_GO);
            return true;
        };
        let name = Uuid::new_v4();
        let place = Place::new(&self.home, name);
        let left = place.leave_order(&order);
        if let Err(error) = &left {
            pgrx::log!("vector_backfill does without a reader: {}", error.message);
        }
        let process = left
            .ok()
            .and_then(|()| process::start_reader(self.database, &name.to_string()));
        let Some(process) = process else {
            place.clear();
            return false;
        };
        if let Some(active) = self.jobs.iter_mut().find(|active| active.context.job.id == order.job) {
            active.is_looked_at = true;
        }
        self.readings.push(Reading {
            order,
            purpose,
            place,
            process,
            _kept: kept,
        });
        true
    }

    /// Jobs that become active with looks under way.
    pub(super) fn jobs_looked_for(&self) -> impl Iterator<Item = i64> {
        self.readings.iter().filter_map(|reading| match &reading.purpose {
            Purpose::Activation(job, _) => Some(job.id),
            Purpose::Sweep(_) => None,
        })
    }

    /// Goes on where readers have ended.
    pub(super) fn take_readings(&mut self) {
        while let Some(position) = self.readings.iter().position(|reading| reading.process.has_ended()) {
            let reading = self.readings.swap_remove(position);
            self.awaiting_reader.clear();
            let id = reading.order.job;
            if let Some(active) = self.jobs.iter_mut().find(|active| active.context.job.id == id) {
                active.is_looked_at = false;
            }
            if let Err(error) = self.take_reading(reading) {
                pgrx::log!("vector_backfill leaves job {id} alone for a while: {}", error.message);
                self.put_off_look(id, LATER);
            }
        }
    }

    fn take_reading(&mut self, reading: Reading) -> Result<()> {
        let answer = reading.place.take_answer();
        reading.place.clear();
        let id = reading.order.job;
        let found = match answer {
            Ok(Some(Answer::Found(found))) => Ok(Box::new(found)),
            Ok(Some(Answer::Failed(failure))) => Err(failure.into()),
            Ok(Some(Answer::Outdated)) => Err(VbError::interrupted("the source has changed")),
            Ok(None) => Err(VbError::interrupted("its reader was ended")),
            Err(error) => Err(VbError::interrupted(error.message)),
        };
        if let Err(error) = &found
            && Fault::of(error) == Fault::Interrupted
        {
            pgrx::log!(
                "vector_backfill looks at the source of job {id} itself: {}",
                error.message
            );
            // Whatever ended one may end the next: there has to be an end.
            self.look_here.insert(id);
            self.next_poll = Instant::now();
            return Ok(());
        }
        match (reading.purpose, found) {
            (Purpose::Activation(job, comparison), Ok(found)) => {
                self.activate(job, comparison, Look::Made(found, reading.order))
            }
            (Purpose::Activation(job, comparison), Err(error)) => self.look_failed(job, comparison, &error),
            (Purpose::Sweep(everything), found) => {
                let Some(position) = self.jobs.iter().position(|active| active.context.job.id == id) else {
                    return Ok(());
                };
                match found {
                    Ok(found) => self.sweep_job(position, everything, Look::Made(found, reading.order)),
                    Err(error) => self.sweep_failed(position, &error),
                }
            }
        }
    }

    /// Asks for it again in a while.
    fn put_off_look(&mut self, job: i64, pause: Duration) {
        let until = Instant::now() + pause;
        match self.jobs.iter_mut().find(|active| active.context.job.id == job) {
            Some(active) => active.put_off_sweep(until),
            None => {
                self.locked.insert(job, until);
            }
        }
    }

    /// Ends looks for a job that nobody waits for any more.
    pub(super) fn give_up_looks(&mut self, job: i64) {
        for reading in self.readings.extract_if(.., |reading| reading.order.job == job) {
            reading.give_up();
            self.awaiting_reader.clear();
        }
        self.look_here.remove(&job);
    }
}

impl Reading {
    /// The job that it is for.
    pub(super) fn job(&self) -> i64 {
        self.order.job
    }

    /// Ends it without asking what it has found.
    pub(super) fn give_up(self) {
        self.process.end();
        self.place.clear();
    }
}
