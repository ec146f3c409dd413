//! From a row of `vb_jobs` to a job that the worker is at: look at the source, choose the provider, find the work.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use pgrx::pg_sys::Oid;
use uuid::Uuid;
use vb_engine::batch::Target;
use vb_engine::cancel::CancelFlag;
use vb_engine::policy::choice;
use vb_engine::store::contract::CollectionSpec;

use super::active_job::{ActiveJob, JobContext, scope_of};
use super::provider_choice::{self, ProviderChoice};
use super::suspicion;
use crate::catalog::batches::{self, WaitingBatch};
use crate::catalog::collections::{self, Collection, NewCollection};
use crate::catalog::errors::{self, DeadLetter, ErrorClass};
use crate::catalog::installation::Installation;
use crate::catalog::jobs::{self, Advance, Job, Start};
use crate::catalog::references::Owner;
use crate::catalog::source_access;
use crate::error::{Result, VbError};
use crate::pg::{lock, role, signal};
use crate::settings::Settings;
use crate::source::columns::Relation;
use crate::source::describe::{Source, describe};
use crate::source::key::Matching;

use crate::source::work_list::{self, Comparison, LONGEST_RECORD_ID, WorkList};
use crate::source::{gone, live};

/// Parts of the memory limit that the record ids of one job may take.
const WINDOW_SHARE: usize = 64;

/// Gone records kept at a time.
const GONE_WINDOW: usize = 100_000;

/// What looking at a source needs besides the job.
pub(crate) struct Surroundings<'a> {
    /// The database of this worker.
    pub(crate) database: Oid,
    /// Settings of this moment.
    pub(crate) settings: &'a Settings,
    /// Namespace of point ids.
    pub(crate) namespace: Uuid,
}

impl Surroundings<'_> {
    /// Bytes of record ids that a job may keep.
    fn window(&self) -> usize {
        self.settings.memory_limit / WINDOW_SHARE
    }

    /// An error when there is a reason to end a long look at a source.
    fn go_on(&self, installation: &Installation, job: i64) -> Result<()> {
        signal::check_interrupts();
        if signal::termination_requested() {
            return Err(VbError::interrupted("the worker is to end"));
        }
        if lock::is_database_wanted(self.database) {
            return Err(VbError::interrupted("somebody wants the database without sessions"));
        }
        let states = jobs::states(installation, &[job])?;
        if states.iter().any(|(_, state)| state.is_runnable()) {
            return Ok(());
        }
        Err(stopped(job))
    }
}

fn stopped(job: i64) -> VbError {
    VbError::interrupted(format!("job {job} was stopped"))
}

/// A job made active.
pub(crate) struct Activated {
    /// The job.
    pub(crate) active: ActiveJob,
    /// A collection that another one took the place of, to be removed from the store.
    pub(crate) replaced: Option<String>,
}

/// Makes a job active, within one transaction.
pub(crate) fn activate(
    installation: &Installation,
    surroundings: &Surroundings<'_>,
    mut job: Job,
    comparison: Comparison,
) -> Result<Activated> {
    let source =
        describe(installation, job.source, &job.vector_type).map_err(|error| naming(error, &job.source_name))?;
    let relation = Relation::read(job.source)?;
    job.role = source_access::acting_role(job.asked_by, source.owner);
    source_access::require_readable(&relation, job.asked_by, job.role)?;
    let owner = Owner {
        client_id: job.client_id,
        source: job.source,
        vector_type: &job.vector_type,
    };
    let mut present = collections::active(installation, owner)?;
    if let Some(collection) = &mut present {
        if collection.chunking != source.chunking {
            collections::change_chunking(installation, collection, source.chunking)?;
        }
        job.renew_before = job.renew_before.max(collection.renew_before);
    }

    let waiting = with_rows(installation, &source, &job, suspicion::settle(installation, job.id)?)?;
    let waiting_count: usize = waiting.iter().map(|batch| batch.record_ids.len()).sum();
    let skip: HashSet<String> = waiting
        .iter()
        .flat_map(|batch| batch.record_ids.iter().cloned())
        .collect();
    let found = look(
        installation,
        surroundings,
        &source,
        &job,
        comparison,
        present.as_ref().map_or("", |collection| collection.name.as_str()),
        &skip,
    )?;

    let (choice, collection, replaced) = choose_collection(
        installation,
        surroundings.settings,
        &job,
        &source,
        present,
        &found.work_list,
    )?;
    let provider = choice
        .provider
        .available()
        .map_err(|reason| {
            VbError::wrong_state(format!(
                "provider {:?} is not available: {reason}",
                choice.provider.name
            ))
        })?
        .clone();
    let batch_size = job
        .requested_batch_size
        .unwrap_or_else(|| choice::batch_size(found.work_list.rows) as i32);
    let started = jobs::start(
        installation,
        job.id,
        &Start {
            provider: &provider.name,
            model: &provider.model,
            reason: &choice.reason,
            batch_size,
            needed: found.work_list.needed + waiting_count as u64,
            without_text: found.work_list.without_text,
        },
    )?;
    if !started {
        return Err(stopped(job.id));
    }
    let target = Target {
        collection: CollectionSpec {
            name: collection.name.clone(),
            dimensions: collection.dimensions as usize,
        },
        namespace: surroundings.namespace,
        client_id: job.client_id,
        source_oid: source.oid.to_u32(),
        source: source.name.clone(),
        vector_type: job.vector_type.clone(),
        chunking: source.chunking,
    };
    let context = JobContext {
        job,
        source,
        collection,
        target: Arc::new(target),
        provider: Arc::new(provider),
        comparison,
        cancel: CancelFlag::default(),
    };
    let mut active = ActiveJob::new(context, batch_size as usize, waiting, Instant::now());
    active.load(found.work_list, found.gone);
    Ok(Activated { active, replaced })
}

/// What another look at the source of an active job led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Swept {
    /// There is more to do.
    More,
    /// Nothing is left, and the job is completed.
    Done,
    /// The source is not what it was when the job became active: it has to become active anew.
    Changed,
}

/// Looks at the source of an active job again.
pub(crate) fn sweep(
    installation: &Installation,
    surroundings: &Surroundings<'_>,
    active: &mut ActiveJob,
) -> Result<Swept> {
    let context = Arc::clone(&active.context);
    let Found { work_list, gone } = look(
        installation,
        surroundings,
        &context.source,
        &context.job,
        context.comparison,
        &context.collection.name,
        &active.waiting_records(),
    )?;
    // Looked at last, since a look at the rows takes its time.
    if !is_unchanged(installation, &context) {
        return Ok(Swept::Changed);
    }
    // A pass that compares keys only always finds work; it is done when the pass before it changed nothing.
    let nothing_needed = work_list.needed == 0 || (context.comparison == Comparison::Keys && !active.moved);
    active.moved = false;
    let done = nothing_needed && gone.is_empty();
    // A pass over keys does not know how many rows have no text; the batches before it do.
    if !done || context.comparison == Comparison::Texts {
        jobs::recount(installation, context.job.id, work_list.needed, work_list.without_text)?;
    }
    if done {
        jobs::complete(installation, context.job.id)?;
    }
    active.load(work_list, gone);
    Ok(if done { Swept::Done } else { Swept::More })
}

/// Whether the source of an active job still has the name, key, filter and text that the job works with.
pub(crate) fn is_unchanged(installation: &Installation, context: &JobContext) -> bool {
    describe(installation, context.job.source, &context.job.vector_type).is_ok_and(|source| source == context.source)
}

/// What a look at a source found.
struct Found {
    work_list: WorkList,
    gone: Vec<String>,
}

fn look(
    installation: &Installation,
    surroundings: &Surroundings<'_>,
    source: &Source,
    job: &Job,
    comparison: Comparison,
    collection: &str,
    skip: &HashSet<String>,
) -> Result<Found> {
    let scope = &scope_of(job, comparison);
    let go_on = || surroundings.go_on(installation, job.id);
    let work_list = work_list::scan(
        installation,
        source,
        scope,
        collection,
        surroundings.window(),
        skip,
        &go_on,
    )?;
    let gone = if work_list.has_gone {
        gone::find(installation, source, scope, GONE_WINDOW, &go_on)?
    } else {
        Vec::new()
    };
    // The rights with which all this was read.
    source_access::require_readable(&Relation::read(source.oid)?, job.asked_by, job.role)?;
    set_aside_too_long(installation, job.id, &work_list)?;
    Ok(Found { work_list, gone })
}

fn set_aside_too_long(installation: &Installation, job: i64, work_list: &WorkList) -> Result<()> {
    if work_list.too_long.is_empty() {
        return Ok(());
    }
    let letter = |record_id: &String| DeadLetter {
        record_id: record_id.clone(),
        content_hash: None,
        message: format!("its key is longer than {LONGEST_RECORD_ID} bytes; declare shorter key columns"),
    };
    jobs::lock(installation, job)?;
    let letters = work_list.too_long.iter().map(letter).collect();
    let failed = errors::insert(installation, job, ErrorClass::Source, 1, letters)?;
    let advance = Advance {
        failed,
        ..Advance::default()
    };
    jobs::advance(installation, job, &advance)
}

/// Waiting batches without the records that have no row, or none under this key, any more.
fn with_rows(
    installation: &Installation,
    source: &Source,
    job: &Job,
    waiting: Vec<WaitingBatch>,
) -> Result<Vec<WaitingBatch>> {
    let mut kept = Vec::with_capacity(waiting.len());
    let same_texts = source.key.same_texts();
    let mut matching = Matching::Values;
    for mut batch in waiting {
        let live = role::as_restricted(job.role, || {
            live::positions(source, job.client_id, &batch.record_ids, &same_texts, &mut matching)
        })?;
        let mut position = 0;
        batch.record_ids.retain(|_| {
            position += 1;
            live.contains(&position)
        });
        if batch.record_ids.is_empty() {
            batches::end(installation, batch.id)?;
        } else {
            kept.push(batch);
        }
    }
    Ok(kept)
}

/// The provider and the collection that is pinned to its model. A collection without a single reference binds nobody: it
/// gives way when another model is chosen.
fn choose_collection(
    installation: &Installation,
    settings: &Settings,
    job: &Job,
    source: &Source,
    present: Option<Collection>,
    work_list: &WorkList,
) -> Result<(ProviderChoice, Collection, Option<String>)> {
    let pinned = present.as_ref().filter(|_| work_list.references > 0);
    let choice = provider_choice::choose(installation, settings, job, pinned, work_list.rows)?;
    let replaced = match present {
        Some(collection) if work_list.references > 0 || choice.provider.fits(&collection) => {
            return Ok((choice, collection, None));
        }
        Some(collection) => {
            collections::remove(installation, &collection)?;
            Some(collection.name)
        }
        None => None,
    };
    let provider = &choice.provider;
    let dimensions = provider.dimensions.ok_or_else(|| {
        VbError::wrong_state(format!("provider {:?} has no dimensions configured", provider.name))
            .hint("Set the column dimensions in vb_providers to the length of its embeddings.")
    })?;
    let new = NewCollection {
        owner: Owner {
            client_id: job.client_id,
            source: job.source,
            vector_type: &job.vector_type,
        },
        source_name: &source.bare_name,
        provider: &provider.name,
        model: &provider.model,
        dimensions,
        chunking: source.chunking,
    };
    let collection = collections::create(installation, &new)?;
    Ok((choice, collection, replaced))
}

/// A table that is gone has no name any more; the job remembers it.
fn naming(mut error: VbError, source_name: &str) -> VbError {
    if !error.message.contains(source_name) {
        error.message = format!("{source_name}: {}", error.message);
    }
    error
}
