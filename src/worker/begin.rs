//! Beginning something for a client, unless somebody holds it.

use std::time::{Duration, Instant};

use super::active_job::JobContext;
use super::main_loop::Worker;
use crate::catalog::installation::Installation;
use crate::catalog::{collections, jobs};
use crate::error::Result;
use crate::pg::lock;

/// How often a job is told that its client is held.
const HELD_NOTE_INTERVAL: Duration = Duration::from_secs(5);

/// The pause before it is looked again whether a client is still held.
pub(super) const UNTIL_LET_GO: Duration = Duration::from_millis(300);

/// What came of beginning something for a client.
pub(super) enum Begun<R> {
    /// Nothing: somebody compares, moves or removes what the client has.
    Held,
    /// Nothing: the extension is gone.
    Gone,
    /// Nothing: the collection is gone, or in another store.
    Moved,
    /// It is begun.
    Done(R),
}

impl Worker {
    /// Begins something for a client in a transaction, unless somebody holds the client.
    pub(super) fn begin_for<R>(&self, client: i64, body: impl FnOnce(&Installation) -> Result<R>) -> Result<Begun<R>> {
        let begun = self.transact(|installation| {
            if !lock::begin_for_client(self.database, client) {
                return Ok(Begun::Held);
            }
            body(installation).map(Begun::Done)
        })?;
        Ok(begun.unwrap_or(Begun::Gone))
    }

    /// The same for an active job, unless its collection is not any more where the job writes to.
    pub(super) fn begin_with<R>(
        &self,
        context: &JobContext,
        body: impl FnOnce(&Installation) -> Result<R>,
    ) -> Result<Begun<R>> {
        let begun = self.begin_for(context.job.client_id, |installation| {
            if collections::store_of(installation, context.collection.id)? != Some(context.collection.store) {
                return Ok(None);
            }
            body(installation).map(Some)
        })?;
        Ok(match begun {
            Begun::Done(Some(done)) => Begun::Done(done),
            Begun::Done(None) | Begun::Moved => Begun::Moved,
            Begun::Held => Begun::Held,
            Begun::Gone => Begun::Gone,
        })
    }

    /// Leaves a job alone while its client is held, and says so now and then.
    pub(super) fn rest_while_held(&mut self, position: usize) -> Result<()> {
        let now = Instant::now();
        let active = &mut self.jobs[position];
        active.rest_until(now + UNTIL_LET_GO);
        let job = &active.context.job;
        if self
            .upkeep
            .held
            .get(&job.id)
            .is_some_and(|noted| now < *noted + HELD_NOTE_INTERVAL)
        {
            return Ok(());
        }
        self.upkeep.held.retain(|_, noted| now < *noted + HELD_NOTE_INTERVAL);
        self.upkeep.held.insert(job.id, now);
        let (id, reason) = (
            job.id,
            format!(
                "waits for a session that verifies, imports, moves or purges client {}",
                job.client_id
            ),
        );
        self.transact(|installation| jobs::note(installation, id, &reason))
            .map(|_| ())
    }
}
