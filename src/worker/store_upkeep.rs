//! What the worker does about stores besides batches: removes what nothing refers to any more, and says so when one does
//! not answer.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use vb_engine::pipeline::background::Looked;
use vb_engine::pipeline::collections::MadeCollection;
use vb_engine::store::place::{Place, StoreKind};

use super::active_job::{ActiveJob, Points};
use super::dispatch::InFlight;
use super::main_loop::Worker;
use crate::catalog::collections::Collection;
use crate::catalog::lost::{self, Lost};
use crate::catalog::removals::Removal;
use crate::catalog::{collections, jobs, outages, references, removals};
use crate::error::Result;

/// Collections that are being removed at a time.
const REMOVED_AT_A_TIME: usize = 16;

/// How long a removal that failed is left alone.
const UNTIL_TRIED_AGAIN: Duration = Duration::from_secs(15);

/// How often jobs are told that their store does not answer.
const NOTE_INTERVAL: Duration = Duration::from_secs(5);

/// What is being removed from stores, and what was said of those that do not answer.
#[derive(Debug, Default)]
pub(crate) struct StoreUpkeep {
    /// Removals that are being done, and those that failed with the time until which they are left alone.
    begun: HashMap<i64, Option<Instant>>,
    /// Removals that are done and still to be written down.
    removed: Vec<i64>,
    /// Collections that batches found missing and made, and of which it is not known whether they were lost.
    made: Vec<MadeCollection>,
    /// What looks into stores found and nothing has followed from yet.
    looked: Vec<Looked>,
    /// When jobs were last told that somebody holds their client.
    pub(super) held: HashMap<i64, Instant>,
    /// When jobs were last told that a store does not answer.
    noted: HashMap<StoreKind, Instant>,
}

impl Worker {
    /// Looks after the stores, once a poll. What fails keeps nothing else from being done.
    pub(super) fn keep_stores(&mut self) -> Result<()> {
        let forgotten = self.forget_idle();
        let removed = self.remove_from_stores();
        let noted = self.note_outages();
        forgotten.and(removed).and(noted)
    }

    /// Whether a batch waits for this store, which does not answer: others would only wait with it.
    pub(super) fn is_waited_for(&self, kind: StoreKind) -> bool {
        self.engine.outage(kind).is_some()
            && self
                .in_flight
                .values()
                .any(|batch| batch.context.collection.store == kind)
    }

    /// Batches in flight, without those whose store does not answer, and those whose outcome cannot be recorded: others go on
    /// beside them.
    pub(super) fn busy(&self) -> impl Iterator<Item = &InFlight> {
        let away = [StoreKind::Embedded, StoreKind::Qdrant].map(|kind| (kind, self.engine.outage(kind).is_some()));
        let is_busy = move |batch: &&InFlight| {
            !away.contains(&(batch.context.collection.store, true))
                && !self.unrecordable.contains_key(&batch.context.job.id)
        };
        self.in_flight.values().filter(is_busy)
    }

    /// A collection that batches found missing although it has references was lost: its vectors are made again. To be
    /// called when outcomes were taken and before they are recorded, and after that.
    ///
    /// What this process has written to one that it made `again` may be recorded only now, so that one is looked at
    /// afterwards; any other may be new, and what was just written to it is not to be taken for lost.
    pub(super) fn renew_lost(&mut self, recorded: bool) -> Result<()> {
        if !recorded {
            self.upkeep.made.extend(self.engine.take_made());
        }
        while let Some(position) = self.upkeep.made.iter().position(|made| made.again == recorded) {
            let MadeCollection { store, name, .. } = self.upkeep.made[position].clone();
            let renewed =
                self.transact(|installation| lost::renew(installation, store, std::slice::from_ref(&name), Lost::Any))?;
            self.upkeep.made.remove(position);
            let renewed = renewed.unwrap_or_default();
            if renewed.is_empty() {
                continue;
            }
            pgrx::warning!("vector_backfill: store {store} has lost collection {name}; its vectors are made again");
            let jobs: Vec<i64> = self
                .jobs
                .iter()
                .filter(|active| renewed.contains(&active.context.collection.id))
                .map(|active| active.context.job.id)
                .collect();
            for job in jobs {
                self.look_again(job);
            }
        }
        Ok(())
    }

    /// Jobs that have nothing left to do wait to be told whether the store still has what their references name.
    pub(super) fn take_looks(&mut self) -> Result<()> {
        self.upkeep.looked.extend(self.engine.take_looked());
        while let Some(Looked { place, has_points }) = self.upkeep.looked.last().cloned() {
            let waits =
                |active: &ActiveJob| active.points == Points::LookedFor && active.context.target.place() == place;
            if let Some(position) = self.jobs.iter().position(waits)
                && (has_points != Some(false) || !self.renew_share(position)?)
            {
                self.jobs[position].points = Points::Seen;
            }
            self.upkeep.looked.pop();
        }
        Ok(())
    }

    /// The store has nothing of a job's client any more: the job makes all of it again. False when it has tried that already,
    /// and what it could not make was set aside.
    fn renew_share(&mut self, position: usize) -> Result<bool> {
        let context = &self.jobs[position].context;
        let (job, client, collection) = (context.job.id, context.job.client_id, &context.collection);
        let names = std::slice::from_ref(&collection.name);
        let renewed =
            self.transact(|installation| lost::renew(installation, collection.store, names, Lost::Of(client)))?;
        if renewed.unwrap_or_default().is_empty() {
            return Ok(false);
        }
        pgrx::warning!(
            "vector_backfill: store {} has lost what client {client} had in collection {}; its vectors are made again",
            collection.store,
            collection.name
        );
        self.look_again(job);
        Ok(true)
    }

    /// What is done for a collection when a job is through with it: an index, and a name for others who read the store.
    pub(super) fn finish_collection(&self, collection: &Collection) -> Result<()> {
        self.engine.optimize(collection.store, &collection.name);
        let alias = self.transact(|installation| collections::alias(installation, collection.id))?;
        if let Some(alias) = alias.flatten() {
            self.engine.set_alias(collection.store, &alias, &collection.name);
        }
        Ok(())
    }

    /// Forgets collections that no job builds any more and those that were replaced; large ones little by little.
    fn forget_idle(&mut self) -> Result<()> {
        let in_use: Vec<i64> = self
            .in_flight
            .values()
            .map(|batch| batch.context.collection.id)
            .collect();
        let longest_search = self.settings.request_timeout;
        self.transact(|installation| {
            for collection in collections::idle(installation, longest_search)? {
                if !in_use.contains(&collection) && references::abandon(installation, collection)? {
                    collections::remove(installation, collection)?;
                }
            }
            Ok(())
        })
        .map(|_| ())
    }

    /// Removes what is to be removed, once nothing in flight can make it again.
    fn remove_from_stores(&mut self) -> Result<()> {
        let now = Instant::now();
        for (id, removed) in self.engine.take_removed() {
            match removed {
                Ok(()) => self.upkeep.removed.push(id),
                Err(error) => {
                    pgrx::log!("vector_backfill removes a collection later: {error}");
                    self.upkeep.begun.insert(id, Some(now + UNTIL_TRIED_AGAIN));
                }
            }
        }
        self.upkeep
            .begun
            .retain(|_, until| until.is_none_or(|until| until > now));
        let begun: Vec<i64> = self.upkeep.begun.keys().copied().collect();
        // Those that failed and are left alone keep nobody from being removed.
        let under_way = self.upkeep.begun.values().filter(|until| until.is_none()).count();
        let room = REMOVED_AT_A_TIME.saturating_sub(under_way) as i64;
        let done = self.upkeep.removed.clone();
        let pending = self.transact(|installation| {
            if !done.is_empty() {
                removals::done(installation, done)?;
            }
            removals::pending(installation, begun, room)
        })?;
        for id in self.upkeep.removed.drain(..) {
            self.upkeep.begun.remove(&id);
        }
        for Removal { id, place, is_obsolete } in pending.unwrap_or_default() {
            if is_obsolete {
                self.upkeep.begun.insert(id, None);
                self.upkeep.removed.push(id);
            } else if !self.is_written_to(&place) {
                self.upkeep.begun.insert(id, None);
                self.engine.remove(id, place);
            }
        }
        Ok(())
    }

    /// Whether a batch in flight may write to it.
    fn is_written_to(&self, place: &Place) -> bool {
        let mut written = self.in_flight.values().map(|batch| batch.context.target.place());
        written.any(|other| match place.share.client_id {
            Some(_) => other == *place,
            None => other.store == place.store && other.share.collection == place.share.collection,
        })
    }

    /// Tells the jobs whose store does not answer why they wait.
    fn note_outages(&mut self) -> Result<()> {
        let now = Instant::now();
        for kind in [StoreKind::Embedded, StoreKind::Qdrant] {
            let Some(outage) = self.engine.outage(kind) else {
                if self.upkeep.noted.contains_key(&kind) {
                    self.transact(|installation| outages::end(installation, kind))?;
                    self.upkeep.noted.remove(&kind);
                }
                continue;
            };
            if self
                .upkeep
                .noted
                .get(&kind)
                .is_some_and(|noted| now < *noted + NOTE_INTERVAL)
            {
                continue;
            }
            self.upkeep.noted.insert(kind, now);
            let waiting: Vec<i64> = self
                .jobs
                .iter()
                .filter(|active| active.context.collection.store == kind)
                .map(|active| active.context.job.id)
                .collect();
            let reason = format!(
                "waits for store {kind}, which has not answered for {} s: {}",
                outage.age.as_secs(),
                outage.message
            );
            self.transact(|installation| {
                outages::note(installation, kind, outage.age.as_secs_f64(), &outage.message)?;
                waiting
                    .iter()
                    .try_for_each(|job| jobs::note(installation, *job, &reason))
            })?;
        }
        Ok(())
    }
}
