//! From a row of `vb_jobs` to a job that the worker is at: look at the source, choose the provider, find the work.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use uuid::Uuid;
use vb_engine::batch::Target;
use vb_engine::cancel::CancelFlag;
use vb_engine::policy::choice;
use vb_engine::store::contract::CollectionSpec;

use super::active_job::{ActiveJob, JobContext, scope_of};
use super::provider_choice;
use super::suspicion;
use crate::catalog::collections::{self, Collection};
use crate::catalog::installation::Installation;
use crate::catalog::jobs::{self, Job, Start};
use crate::catalog::providers::Provider;
use crate::catalog::references::Owner;
use crate::catalog::source_access;
use crate::error::{Result, VbError};
use crate::pg::role;
use crate::settings::Settings;
use crate::source::columns::Relation;
use crate::source::describe::describe;
use crate::source::work_list::{Comparison, WorkList};
use crate::source::{gone, work_list};

/// Parts of the memory limit that the record ids of one job may take.
const WINDOW_SHARE: usize = 64;

/// Gone records kept at a time.
const GONE_WINDOW: usize = 100_000;

/// What activation needs besides the job.
pub(crate) struct Surroundings<'a> {
    /// Settings of this moment.
    pub(crate) settings: &'a Settings,
    /// Namespace of point ids.
    pub(crate) namespace: Uuid,
}

/// Makes a job active, within one transaction. `None` when somebody stopped it meanwhile.
pub(crate) fn activate(
    installation: &Installation,
    surroundings: &Surroundings<'_>,
    job: Job,
    comparison: Comparison,
) -> Result<Option<ActiveJob>> {
    let source =
        describe(installation, job.source, &job.vector_type).map_err(|error| naming(error, &job.source_name))?;
    let relation = Relation::read(job.source)?;
    role::as_restricted(job.role, || source_access::require_select(&relation))?;
    let owner = Owner {
        client_id: job.client_id,
        source: job.source,
        vector_type: &job.vector_type,
    };
    let present = collections::active(installation, owner)?;

    let waiting = suspicion::settle(installation, job.id)?;
    let waiting_count: usize = waiting.iter().map(|batch| batch.record_ids.len()).sum();
    let skip: HashSet<String> = waiting
        .iter()
        .flat_map(|batch| batch.record_ids.iter().cloned())
        .collect();
    let collection_name = present.as_ref().map_or("", |collection| collection.name.as_str());
    let scope = scope_of(&job, comparison);
    let work_list = work_list::scan(
        installation,
        &source,
        &scope,
        collection_name,
        window(surroundings.settings),
        &skip,
    )?;
    let gone_records = if work_list.has_gone {
        gone::find(installation, &source, &scope, GONE_WINDOW)?
    } else {
        Vec::new()
    };

    let choice = provider_choice::choose(
        installation,
        surroundings.settings,
        &job,
        present.as_ref(),
        work_list.rows,
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
    let collection = match present {
        Some(collection) => collection,
        None => create_collection(installation, owner, &source.bare_name, &choice.provider)?,
    };
    let batch_size = job
        .requested_batch_size
        .unwrap_or_else(|| choice::batch_size(work_list.rows) as i32);
    let started = jobs::start(
        installation,
        job.id,
        &Start {
            provider: &provider.name,
            model: &provider.model,
            reason: &choice.reason,
            batch_size,
            needed: work_list.needed + waiting_count as u64,
            without_text: work_list.without_text,
        },
    )?;
    if !started {
        return Ok(None);
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
    active.load(work_list, gone_records);
    Ok(Some(active))
}

/// Looks at the source of an active job again; true when there is nothing left to do and the job is completed.
pub(crate) fn sweep(installation: &Installation, settings: &Settings, active: &mut ActiveJob) -> Result<bool> {
    let context = Arc::clone(&active.context);
    let scope = context.scope();
    let work_list: WorkList = work_list::scan(
        installation,
        &context.source,
        &scope,
        &context.collection.name,
        window(settings),
        &active.waiting_records(),
    )?;
    let gone_records = if work_list.has_gone {
        gone::find(installation, &context.source, &scope, GONE_WINDOW)?
    } else {
        Vec::new()
    };
    // A pass that compares keys only always finds work; it is done when the pass before it changed nothing.
    let nothing_needed = work_list.needed == 0 || (scope.comparison == Comparison::Keys && !active.moved);
    active.moved = false;
    let done = nothing_needed && gone_records.is_empty();
    // A pass over keys does not know how many rows have no text; the batches before it do.
    if !done || scope.comparison == Comparison::Texts {
        jobs::recount(installation, context.job.id, work_list.needed, work_list.without_text)?;
    }
    if done {
        jobs::complete(installation, context.job.id)?;
    }
    active.load(work_list, gone_records);
    Ok(done)
}

/// A table that is gone has no name any more; the job remembers it.
fn naming(mut error: VbError, source_name: &str) -> VbError {
    if !error.message.contains(source_name) {
        error.message = format!("{source_name}: {}", error.message);
    }
    error
}

fn window(settings: &Settings) -> usize {
    settings.memory_limit / WINDOW_SHARE
}

fn create_collection(
    installation: &Installation,
    owner: Owner<'_>,
    source_name: &str,
    provider: &Provider,
) -> Result<Collection> {
    let dimensions = provider.dimensions.ok_or_else(|| {
        VbError::wrong_state(format!("provider {:?} has no dimensions configured", provider.name))
            .hint("Set the column dimensions in vb_providers to the length of its embeddings.")
    })?;
    collections::create(
        installation,
        owner,
        source_name,
        &provider.name,
        &provider.model,
        dimensions,
    )
}
