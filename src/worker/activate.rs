//! From a row of `vb_jobs` to a job that the worker is at: look at the source, find the work, choose provider and collection.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use vb_engine::batch::Target;
use vb_engine::cancel::CancelFlag;
use vb_engine::policy::choice;
use vb_engine::purse::Purse;
use vb_engine::store::contract::CollectionSpec;

use super::active_job::{ActiveJob, JobContext, scope_of};
use super::budgets;
use super::collection_choice::{self, CollectionChoice};
use super::follow::MOST_RECORDS;
use super::look::{Found, Look, Looked, Surroundings, stopped};
use super::look_order::Order;
use super::suspicion;
use crate::catalog::batches::{self, WaitingBatch};
use crate::catalog::changes::{self, Pending};
use crate::catalog::collections::{self, Stage};
use crate::catalog::installation::Installation;
use crate::catalog::jobs::{self, Job, JobKind, Start};
use crate::catalog::references::Owner;
use crate::catalog::source_access;
use crate::catalog::source_settings;
use crate::error::{Result, VbError};
use crate::pg::{role, time_limit};
use crate::source::describe::{Source, describe};
use crate::source::key::Matching;
use crate::source::live;
use crate::source::work_list::{Comparison, WorkList};

/// What came of making a job active.
pub(crate) enum Activated {
    /// It is.
    Active(Box<ActiveJob>),
    /// Its source is to be looked at first, which may take long.
    TakesLong(Box<Order>),
}

/// Makes a job active, within one transaction.
pub(crate) fn activate(
    installation: &Installation,
    surroundings: &Surroundings<'_>,
    mut job: Job,
    comparison: Comparison,
    look: Look,
) -> Result<Activated> {
    let source =
        describe(installation, job.source, &job.vector_type).map_err(|error| naming(error, &job.source_name))?;
    job.role = source_access::acting_role(job.asked_by, source.owner);
    source_access::require_rights(installation, &source, job.client_id, job.asked_by, job.role)?;
    let owner = Owner {
        client_id: job.client_id,
        source: job.source,
        vector_type: &job.vector_type,
    };
    let (stage, mut present) = if job.reembed {
        (Stage::Building, collections::building(installation, owner, job.id)?)
    } else {
        (Stage::Serving, collections::active(installation, owner)?)
    };
    if let Some(collection) = &mut present
        && collection.chunking != source.chunking
    {
        collections::change_chunking(installation, collection, source.chunking)?;
    }

    source_settings::register(installation, job.source, &job.vector_type)?;
    let limit = surroundings.settings.source_timeout;
    let waiting = suspicion::settle(installation, &job)?;
    let waiting = time_limit::reading(&source.name, limit, || with_rows(installation, &source, &job, waiting))?;
    let waiting_count: usize = waiting.iter().map(|batch| batch.record_ids.len()).sum();
    let skip: HashSet<String> = waiting
        .iter()
        .flat_map(|batch| batch.record_ids.iter().cloned())
        .collect();
    let (found, pending) = match job.kind {
        JobKind::Backfill => {
            let scope = scope_of(&job, comparison, present.as_ref(), stage);
            match look.make(installation, surroundings, &source, &scope, job.asked_by, &skip)? {
                Looked::Found(found) => (found, None),
                Looked::TakesLong(order) => return Ok(Activated::TakesLong(order)),
            }
        }
        JobKind::Sync => {
            let mut pending = pending(installation, owner)?;
            // Those that may have crashed the worker are looked at in their batch.
            pending.record_ids.retain(|record_id| !skip.contains(record_id));
            let found = Found {
                work_list: time_limit::reading(&source.name, limit, || {
                    present_state(&source, &job, present.is_some())
                })?,
                gone: Vec::new(),
                failed: 0,
            };
            (found, Some(pending))
        }
    };

    let CollectionChoice {
        provider: choice,
        collection,
    } = collection_choice::choose(
        installation,
        surroundings,
        &job,
        &source,
        stage,
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
            needed: match &pending {
                Some(pending) => pending.record_ids.len() as u64,
                None => found.work_list.needed + waiting_count as u64,
            },
            without_text: pending.is_none().then_some(found.work_list.without_text),
        },
    )?;
    if !started {
        return Err(stopped(job.id));
    }
    let target = Target {
        store: collection.store,
        collection: CollectionSpec {
            name: collection.name.clone(),
            dimensions: collection.dimensions as usize,
            is_shared: collection.is_shared,
            fields: source.payload.fields(),
        },
        namespace: surroundings.namespace,
        client_id: job.client_id,
        source_oid: source.oid.to_u32(),
        source: source.name.clone(),
        vector_type: job.vector_type.clone(),
        chunking: source.chunking,
    };
    let (budget, cost_per_token) = budgets::of_job(installation, job.id)?;
    let purse = Purse::new(
        vec![
            budget.clone(),
            budgets::of_client(installation, surroundings.budgets, job.client_id)?,
        ],
        cost_per_token,
    );
    let context = JobContext {
        job,
        source,
        collection,
        target: Arc::new(target),
        provider: Arc::new(provider),
        comparison,
        budget,
        purse: Arc::new(purse),
        cancel: CancelFlag::default(),
    };
    let mut active = ActiveJob::new(context, batch_size as usize, waiting, Instant::now());
    match pending {
        Some(pending) => active.follow(pending, Instant::now()),
        None => active.load(found.work_list, found.gone),
    }
    Ok(Activated::Active(Box::new(active)))
}

/// What a job that follows changes begins with.
fn pending(installation: &Installation, owner: Owner<'_>) -> Result<Pending> {
    let pending = changes::of_owner(installation, owner, MOST_RECORDS as i64 + 1)?;
    if pending.record_ids.len() < MOST_RECORDS {
        return Ok(pending);
    }
    changes::fold(installation, owner)?;
    changes::of_owner(installation, owner, 1)
}

/// What the choice of a provider has to know without a look at all rows: whether there are vectors already, and how many
/// records there are where there is no collection yet.
fn present_state(source: &Source, job: &Job, has_collection: bool) -> Result<WorkList> {
    Ok(WorkList {
        // Also one that has none yet is somebody's choice.
        references: u64::from(has_collection),
        rows: if has_collection {
            0
        } else {
            role::as_restricted(job.role, || live::count(source, job.client_id))?
        },
        ..WorkList::default()
    })
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
            live::flags(source, job.client_id, &batch.record_ids, &same_texts, &mut matching)
        })?;
        let mut live = live.into_iter();
        batch.record_ids.retain(|_| live.next().unwrap_or(false));
        if batch.record_ids.is_empty() {
            batches::end(installation, batch.id)?;
        } else {
            kept.push(batch);
        }
    }
    Ok(kept)
}

/// A table that is gone has no name any more; the job remembers it.
fn naming(mut error: VbError, source_name: &str) -> VbError {
    if !error.message.contains(source_name) {
        error.message = format!("{source_name}: {}", error.message);
    }
    error
}
