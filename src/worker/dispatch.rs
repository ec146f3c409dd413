//! Hands work to the engine: reads the rows of the next batch in one short transaction, notes it as in flight, submits.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use vb_engine::batch::{Batch, Record};
use vb_engine::fields::FieldsChange;

use super::active_job::{ActiveJob, Again, JobContext, Urgency};
use super::day_quota::{Held, leave_to_other_days};
use super::outcome;
use crate::catalog::batches;
use crate::catalog::changes::{self, Numbered};
use crate::catalog::errors::{self, DeadLetter, ErrorClass};
use crate::catalog::installation::Installation;
use crate::catalog::jobs::{self, Advance, JobKind};
use crate::catalog::references::{self, Present};
use crate::catalog::source_access;
use crate::error::Result;
use crate::pg::time_limit;
use crate::source::gone;
use crate::source::key::Matching;
use crate::source::payload::LONGEST_PAYLOAD;
use crate::source::reader::{self, RowText};

/// A batch that the engine has: what is needed to record its outcome.
#[derive(Debug)]
pub(crate) struct InFlight {
    /// Its job.
    pub(crate) context: Arc<JobContext>,
    /// Records it embeds or changes.
    pub(crate) record_ids: Vec<String>,
    /// Of these, records whose payload columns alone it changes.
    pub(crate) changed: Vec<Changed>,
    /// Records it removes.
    pub(crate) gone: Vec<String>,
    /// Which attempt it is.
    pub(crate) attempt: i32,
    /// Whether it runs alone.
    pub(crate) suspect: bool,
    /// How much hurry there is.
    pub(crate) urgency: Urgency,
    /// When it was read.
    pub(crate) begun_at: Instant,
    /// Of these, records that have had no vector before, where rows have just changed.
    pub(crate) new: usize,
    /// Changes that are done with it, by their record.
    pub(crate) changes: HashMap<String, Numbered>,
}

/// A record whose points are to carry other payload columns.
#[derive(Debug)]
pub(crate) struct Changed {
    /// Its key as text.
    pub(crate) record_id: String,
    /// Hash of the columns.
    pub(crate) fields_hash: String,
}

/// A batch ready for the engine.
pub(crate) type Prepared = (Batch, InFlight);

/// What became of records that were to be embedded.
pub(crate) struct Outset {
    /// What is to be done; `None` when none of them needs work any more.
    pub(crate) batch: Option<Prepared>,
    /// Those that did not fit into the byte limit.
    pub(crate) rest: Vec<String>,
    /// Changes that are done already.
    pub(crate) settled: Vec<Numbered>,
    /// Why the rest cannot be begun at the moment, if it cannot.
    pub(crate) held: Option<Held>,
}

/// How much a batch reads, and for how long.
pub(crate) struct ReadLimits {
    /// Bytes of text.
    pub(crate) bytes: usize,
    /// Time.
    pub(crate) time: Duration,
}

/// Reads the records as they are now, within these limits, and notes the batch. `in_flight` records of the client are
/// in work already.
pub(crate) fn prepare(
    installation: &Installation,
    active: &ActiveJob,
    again: &Again,
    limits: &ReadLimits,
    in_flight: usize,
) -> Result<Outset> {
    let byte_limit = limits.bytes;
    let context = &active.context;
    require_rights(installation, context)?;
    // Before the rows: what changes after this has another number.
    let mut pending = match context.job.kind {
        JobKind::Sync => changes::numbers(installation, context.owner(), &again.record_ids)?,
        JobKind::Backfill => HashMap::new(),
    };
    let read = time_limit::reading(&context.source.name, limits.time, || {
        reader::read(
            &context.source,
            context.job.role,
            context.job.client_id,
            &again.record_ids,
            byte_limit,
        )
    })?;
    let (covered, uncovered) = again.record_ids.split_at(read.covered.min(again.record_ids.len()));
    let mut rest = uncovered.to_vec();
    pending.retain(|record_id, _| !rest.contains(record_id));
    let mut present = references::present(installation, context.owner(), covered, &context.collection)?;
    let mut advance = Advance {
        unneeded: (covered.len() - read.rows.len()) as i64,
        ..Advance::default()
    };
    let mut records = Vec::with_capacity(read.rows.len());
    let mut too_long = Vec::new();
    let (mut changed, mut changes) = (Vec::new(), Vec::new());
    // Rows whose text went away since the pass that found them.
    let (mut gone, mut gone_points) = (Vec::new(), Vec::new());
    let mut without_row: HashSet<&String> = covered.iter().collect();
    for row in &read.rows {
        without_row.remove(&row.record_id);
    }
    for record_id in without_row {
        if let Some(present) = present.remove(record_id) {
            gone.push(record_id.clone());
            gone_points.extend(present.points);
        }
    }
    for row in read.rows {
        let Present {
            points,
            hash,
            fields_hash,
        } = present.remove(&row.record_id).unwrap_or_default();
        match row.text {
            RowText::Missing => {
                advance.skipped += 1;
                if !points.is_empty() {
                    gone.push(row.record_id);
                    gone_points.extend(points);
                }
            }
            RowText::TooLong(bytes) => too_long.push(DeadLetter {
                record_id: row.record_id,
                content_hash: None,
                message: format!(
                    "its text has {bytes} bytes; at most {byte_limit} are embedded, by vector_backfill.memory_limit and \
                     vector_backfill.max_concurrent_batches"
                ),
            }),
            RowText::PayloadTooLong(bytes) => too_long.push(DeadLetter {
                record_id: row.record_id,
                content_hash: None,
                message: format!("its payload columns have {bytes} bytes; points carry at most {LONGEST_PAYLOAD}"),
            }),
            RowText::Text(_, content_hash) if hash.as_deref() == Some(&content_hash[..]) => {
                if fields_hash == row.fields.hash {
                    advance.unneeded += 1;
                    continue;
                }
                changed.push(Changed {
                    record_id: row.record_id,
                    fields_hash: row.fields.hash.clone(),
                });
                changes.push(FieldsChange {
                    points,
                    fields: row.fields,
                });
            }
            RowText::Text(text, content_hash) => records.push(Record {
                record_id: row.record_id,
                text: text.into(),
                content_hash,
                fields: row.fields,
                present_points: points,
            }),
        }
    }
    let held = {
        // What costs no records goes on beside what waits.
        let busy = in_flight + changed.len() + gone.len();
        leave_to_other_days(installation, context, &mut records, &mut rest, (in_flight, busy > 0))?
    };
    pending.retain(|record_id, _| !rest.contains(record_id));
    let too_long_ids: HashSet<String> = too_long.iter().map(|letter| letter.record_id.clone()).collect();
    errors::set_aside(
        installation,
        context.job.id,
        ErrorClass::Source,
        again.attempt,
        too_long,
    )?;
    if advance != Advance::default() {
        jobs::advance(installation, context.job.id, &advance)?;
    }
    let work: HashSet<&String> = records
        .iter()
        .map(|record| &record.record_id)
        .chain(changed.iter().map(|changed| &changed.record_id))
        .chain(&gone)
        .collect();
    let (pending, settled): (HashMap<_, _>, HashMap<_, _>) =
        pending.into_iter().partition(|(record_id, _)| work.contains(record_id));
    let settled_numbers = settled
        .iter()
        .map(|(record_id, numbered)| (record_id.clone(), numbered.number));
    changes::settle(installation, context.owner(), settled_numbers)?;
    // What was wrong with them is not any more.
    let resolved = settled
        .keys()
        .filter(|record_id| !too_long_ids.contains(*record_id))
        .cloned()
        .collect();
    let resolved = errors::resolve(installation, context.job.id, resolved)?;
    if resolved > 0 {
        let advance = Advance {
            failed: -resolved,
            ..Advance::default()
        };
        jobs::advance(installation, context.job.id, &advance)?;
    }
    let settled = settled.into_values().collect();
    if work.is_empty() {
        if let Some(batch_id) = again.batch_id {
            batches::end(installation, batch_id)?;
        }
        return Ok(Outset {
            batch: None,
            rest,
            settled,
            held,
        });
    }
    let embedded = records.iter().map(|record| &record.record_id);
    let record_ids: Vec<String> = embedded
        .chain(changed.iter().map(|changed| &changed.record_id))
        .cloned()
        .collect();
    let batch_id = match again.batch_id {
        Some(batch_id) => {
            batches::resume(installation, batch_id, &record_ids)?;
            batch_id
        }
        None => batches::begin(installation, context.job.id, &record_ids, again.attempt)?,
    };
    let is_change = again.urgency == Urgency::Change;
    let new = records
        .iter()
        .filter(|record| is_change && record.present_points.is_empty())
        .count();
    let is_last = outcome::is_last(again.attempt, &context.job);
    let batch = Batch {
        records,
        changes,
        deletes: gone_points,
        last_attempt: is_last,
        is_change,
        ..empty_batch(context, batch_id)
    };
    let in_flight = InFlight {
        context: Arc::clone(context),
        record_ids,
        changed,
        gone,
        attempt: again.attempt,
        suspect: again.suspect,
        urgency: again.urgency,
        begun_at: Instant::now(),
        new,
        changes: pending,
    };
    Ok(Outset {
        batch: Some((batch, in_flight)),
        rest,
        settled,
        held,
    })
}

/// Notes a batch that removes the points of records whose row is gone, and still is; `None` when there is none.
pub(crate) fn prepare_removal(
    installation: &Installation,
    active: &ActiveJob,
    gone: Vec<String>,
    time: Duration,
) -> Result<Option<Prepared>> {
    let context = &active.context;
    require_rights(installation, context)?;
    // Some may have come back, and have their vectors already.
    let gone = time_limit::reading(&context.source.name, time, || {
        gone::still(&context.source, &context.scope(), gone, &mut Matching::Values)
    })?;
    if gone.is_empty() {
        return Ok(None);
    }
    let present = references::present(installation, context.owner(), &gone, &context.collection)?;
    let points = present.into_values().flat_map(|present| present.points).collect();
    let pending = match context.job.kind {
        JobKind::Sync => changes::numbers(installation, context.owner(), &gone)?,
        JobKind::Backfill => HashMap::new(),
    };
    let batch_id = batches::begin(installation, context.job.id, &[], 1)?;
    let batch = Batch {
        deletes: points,
        ..empty_batch(context, batch_id)
    };
    let in_flight = InFlight {
        context: Arc::clone(context),
        record_ids: Vec::new(),
        changed: Vec::new(),
        gone,
        attempt: 1,
        suspect: false,
        urgency: Urgency::Backfill,
        begun_at: Instant::now(),
        new: 0,
        changes: pending,
    };
    Ok(Some((batch, in_flight)))
}

/// A right that was taken away counts from the next batch on.
fn require_rights(installation: &Installation, context: &JobContext) -> Result<()> {
    let job = &context.job;
    source_access::require_rights(installation, &context.source, job.client_id, job.asked_by, job.role)
}

fn empty_batch(context: &JobContext, id: i64) -> Batch {
    Batch {
        id,
        job_id: context.job.id,
        target: Arc::clone(&context.target),
        provider: Arc::clone(&context.provider),
        records: Vec::new(),
        changes: Vec::new(),
        deletes: Vec::new(),
        last_attempt: false,
        is_change: false,
        purse: Arc::clone(&context.purse),
        cancel: context.cancel.clone(),
    }
}
