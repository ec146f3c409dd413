//! Records what became of a batch: references, counters, dead letters and the end of the batch in one transaction.

use std::collections::HashSet;

use vb_engine::batch::{EmbeddedRecord, FailedRecord, Spent};

use super::active_job::{JobContext, Urgency};
use super::dispatch::InFlight;
use crate::catalog::batches;
use crate::catalog::changes;
use crate::catalog::collections::Stage;
use crate::catalog::counted;
use crate::catalog::errors::{self, DeadLetter, ErrorClass};
use crate::catalog::installation::Installation;
use crate::catalog::jobs::{self, Advance};
use crate::catalog::references::{self, Doubt};
use crate::catalog::spending;
use crate::error::Result;

/// What a batch that ended well did.
pub(crate) struct Done<'a> {
    /// Records whose points are in the store.
    pub(crate) embedded: &'a [EmbeddedRecord],
    /// Records that could not be embedded.
    pub(crate) failed: &'a [FailedRecord],
    /// Records that are still to be done.
    pub(crate) left: &'a [String],
    /// What it cost.
    pub(crate) spent: Spent,
    /// Speed of the job now.
    pub(crate) records_per_second: Option<f32>,
}

/// Records a batch whose points are durable in the store.
pub(crate) fn record(installation: &Installation, batch_id: i64, in_flight: &InFlight, done: &Done<'_>) -> Result<()> {
    let context = &in_flight.context;
    let job = context.job.id;
    let owner = context.owner();
    jobs::lock(installation, job)?;
    let mut failed = 0;
    if !done.embedded.is_empty() {
        references::upsert(
            installation,
            owner,
            &context.collection,
            &context.provider.name,
            done.embedded,
        )?;
    }
    let embedded = done.embedded.iter().map(|record| &record.record_id);
    let changed = in_flight.changed.iter().map(|changed| &changed.record_id);
    let record_ids: Vec<String> = embedded.chain(changed).chain(&in_flight.gone).cloned().collect();
    if !record_ids.is_empty() {
        failed -= errors::resolve(installation, job, record_ids)?;
    }
    for class in [ErrorClass::Record, ErrorClass::Transient] {
        let letters: Vec<DeadLetter> = done
            .failed
            .iter()
            .filter(|record| ErrorClass::of(record.class) == class)
            .map(|record| DeadLetter {
                record_id: record.record_id.clone(),
                content_hash: Some(record.content_hash.to_vec()),
                message: record.message.clone(),
            })
            .collect();
        if !letters.is_empty() {
            failed += errors::insert(installation, job, class, in_flight.attempt, letters)?;
        }
    }
    if !in_flight.changed.is_empty() {
        let changed = in_flight.changed.iter();
        let changed = changed.map(|changed| (changed.record_id.clone(), changed.fields_hash.clone()));
        references::set_fields(installation, owner, context.collection.stage, changed.unzip())?;
    }
    let removed = if in_flight.gone.is_empty() {
        0
    } else {
        references::delete(installation, owner, context.collection.stage, &in_flight.gone)?
    };
    let advance = Advance {
        successful: (done.embedded.len() + in_flight.changed.len()) as i64,
        failed,
        removed,
        truncated: done.embedded.iter().filter(|record| record.truncated).count() as i64,
        tokens: done.spent.tokens as i64,
        provider: Some(&context.provider.name),
        records_per_second: done.records_per_second,
        batches: i32::from(!in_flight.record_ids.is_empty()),
        ..Advance::default()
    };
    jobs::advance(installation, job, &advance)?;
    count_spent(installation, context, done.spent, done.embedded.len())?;
    if in_flight.urgency == Urgency::Change && context.collection.stage == Stage::Serving {
        let new = in_flight.new.saturating_sub(done.left.len()) as i64;
        counted::add(installation, owner, new - removed)?;
    }
    let changes = in_flight
        .changes
        .iter()
        .filter(|(record_id, _)| !done.left.contains(record_id));
    let changes = changes.map(|(record_id, numbered)| (record_id.clone(), numbered.number));
    changes::settle(installation, owner, changes)?;
    batches::end(installation, batch_id)
}

/// Counts what a batch cost its client, and how many records it embedded.
fn count_spent(installation: &Installation, context: &JobContext, spent: Spent, embedded: usize) -> Result<()> {
    if spent.tokens == 0 && embedded == 0 {
        return Ok(());
    }
    let (client, provider) = (context.job.client_id, &context.provider.name);
    spending::add(installation, client, provider, spent.tokens as i64, embedded as i64)
}

/// Records what a batch cost that gave nothing that is known. What it may have written nevertheless is in doubt: its rows
/// may become what they were when the references were made, and would be taken for done.
pub(crate) fn record_failed(
    installation: &Installation,
    batch_id: i64,
    in_flight: &InFlight,
    spent: Spent,
    may_have_written: bool,
) -> Result<()> {
    let context = &in_flight.context;
    jobs::lock(installation, context.job.id)?;
    if may_have_written {
        let changed: HashSet<&String> = in_flight.changed.iter().map(|changed| &changed.record_id).collect();
        let records = in_flight.record_ids.iter();
        let (changed, embedded): (Vec<&String>, Vec<&String>) = records.partition(|record| changed.contains(record));
        let removed = in_flight.gone.iter().collect();
        for (doubt, records) in [
            (Doubt::Fields, changed),
            (Doubt::Vector, embedded),
            (Doubt::Vector, removed),
        ] {
            let records = records.into_iter().cloned().collect();
            references::doubt(installation, context.owner(), context.collection.stage, records, doubt)?;
        }
    }
    if spent.tokens > 0 {
        let advance = Advance {
            tokens: spent.tokens as i64,
            provider: Some(&context.provider.name),
            ..Advance::default()
        };
        jobs::advance(installation, context.job.id, &advance)?;
        count_spent(installation, context, spent, 0)?;
    }
    batches::end(installation, batch_id)
}
