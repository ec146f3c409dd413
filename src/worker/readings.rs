//! Long looks at sources, which readers make while the worker goes on: asked for, taken, given up.

use std::time::{Duration, Instant};

use uuid::Uuid;

use super::hand_out::UNTIL_LET_GO;
use super::look::{Found, Look};
use super::look_order::{Answer, Order, Place};
use super::main_loop::Worker;
use super::watch_jobs::LATER;
use crate::catalog::jobs::Job;
use crate::error::{Result, VbError};
use crate::fault::Fault;
use crate::pg::process::{self, ReaderProcess};
use crate::source::work_list::Comparison;

/// Readers at a time: one that looks at a very large source holds up no other for long, and the server's slots for processes
/// are for others, too.
const MOST_READERS: usize = 2;

/// How long a job waits for a reader before it asks again.
const UNTIL_ONE_IS_FREE: Duration = Duration::from_millis(250);

/// A look that a reader makes.
pub(super) struct Reading {
    order: Box<Order>,
    purpose: Purpose,
    place: Place,
    process: ReaderProcess,
}

/// What a look is for.
pub(super) enum Purpose {
    /// A job is to become active.
    Activation(Job, Comparison),
    /// An active job has done what it knew of; where changes are followed, everything up to the change with this number is to
    /// be looked at.
    Sweep(Option<i64>),
}

/// What came of asking for a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// It is under way.
    Begun,
    /// All readers are at work.
    Later,
    /// The server has no slot for a reader.
    Nobody,
}

impl Worker {
    /// Has a reader make a look.
    pub(super) fn ask(&mut self, order: Order, purpose: Purpose) -> Result<Asked> {
        if self.readings.len() >= MOST_READERS {
            return Ok(Asked::Later);
        }
        let name = Uuid::new_v4();
        let place = Place::new(&self.home, name);
        place.leave_order(&order)?;
        match process::start_reader(self.database, &name.to_string()) {
            Some(process) => {
                self.readings.push(Reading {
                    order: Box::new(order),
                    purpose,
                    place,
                    process,
                });
                Ok(Asked::Begun)
            }
            None => {
                place.clear();
                Ok(Asked::Nobody)
            }
        }
    }

    /// Jobs that become active with looks under way.
    pub(super) fn jobs_looked_for(&self) -> impl Iterator<Item = i64> {
        self.readings.iter().filter_map(|reading| match &reading.purpose {
            Purpose::Activation(job, _) => Some(job.id),
            Purpose::Sweep(_) => None,
        })
    }

    /// Goes on where readers have ended.
    pub(super) fn take_readings(&mut self) -> Result<()> {
        while let Some(position) = self.readings.iter().position(|reading| reading.process.has_ended()) {
            let reading = self.readings.swap_remove(position);
            self.take_reading(reading)?;
        }
        Ok(())
    }

    fn take_reading(&mut self, reading: Reading) -> Result<()> {
        let answer = reading.place.take_answer();
        reading.place.clear();
        let id = reading.order.job;
        if let Some(active) = self.jobs.iter_mut().find(|active| active.context.job.id == id) {
            active.is_looked_at = false;
        }
        let found = match answer {
            Ok(Some(Answer::Found { work_list, gone })) => Ok(Found { work_list, gone }),
            Ok(Some(Answer::Failed(failure))) => Err(failure.into()),
            Ok(Some(Answer::Held)) => {
                self.put_off_look(id, UNTIL_LET_GO);
                return Ok(());
            }
            Ok(Some(Answer::Outdated)) => {
                self.look_again(id);
                return Ok(());
            }
            Ok(None) => Err(VbError::interrupted("somebody ended the reader")),
            Err(error) => Err(error),
        };
        if let Err(error) = &found
            && Fault::of(error) == Fault::Interrupted
        {
            pgrx::log!(
                "vector_backfill looks at the source of job {id} later: {}",
                error.message
            );
            self.put_off_look(id, LATER);
            return Ok(());
        }
        match reading.purpose {
            Purpose::Activation(job, comparison) => match found {
                Ok(found) => {
                    self.activate_or_leave(job, comparison, Look::Made(Box::new(found), reading.order));
                    Ok(())
                }
                Err(error) => self.look_failed(job, comparison, &error),
            },
            Purpose::Sweep(everything) => {
                let Some(position) = self.jobs.iter().position(|active| active.context.job.id == id) else {
                    return Ok(());
                };
                match found {
                    Ok(found) => self.sweep_job(position, everything, Look::Made(Box::new(found), reading.order)),
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

    /// The same when all readers are at work.
    pub(super) fn await_reader(&mut self, job: i64) {
        self.put_off_look(job, UNTIL_ONE_IS_FREE);
    }

    /// Ends looks for a job that nobody waits for any more.
    pub(super) fn give_up_looks(&mut self, job: i64) {
        for reading in self.readings.extract_if(.., |reading| reading.order.job == job) {
            reading.give_up();
        }
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
