//! Records whose rows cannot be read: found, and set aside.

use super::active_job::{Again, JobContext};
use crate::catalog::batches;
use crate::catalog::changes;
use crate::catalog::errors::{self, DeadLetter, ErrorClass};
use crate::catalog::installation::Installation;
use crate::catalog::jobs::{Job, JobKind};
use crate::catalog::references::Owner;
use crate::error::{Result, VbError};
use crate::fault::Fault;

/// What to do about records whose rows could not be read.
pub(crate) enum ReadFault {
    /// One of them is at fault and it is not known which: read these parts on their own.
    Halves(Vec<Again>),
    /// The only record is at fault: set it aside.
    SetAside(String),
    /// It is not about a record.
    Job,
}

/// Decides what an error while reading a batch means.
pub(crate) fn read_fault(error: &VbError, again: &Again) -> ReadFault {
    match Fault::of(error) {
        Fault::Record => match again.record_ids.as_slice() {
            [] => ReadFault::Job,
            [only] => ReadFault::SetAside(only.clone()),
            several => {
                let (first, second) = several.split_at(several.len().div_ceil(2));
                let part = |record_ids: &[String]| Again {
                    record_ids: record_ids.to_vec(),
                    attempt: again.attempt,
                    not_before: again.not_before,
                    batch_id: None,
                    suspect: again.suspect,
                    urgency: again.urgency,
                };
                ReadFault::Halves(vec![part(first), part(second)])
            }
        },
        Fault::Fail | Fault::Pause | Fault::Interrupted | Fault::Later => ReadFault::Job,
    }
}

/// Sets aside a record whose row cannot be read.
pub(crate) fn set_aside(
    installation: &Installation,
    context: &JobContext,
    again: &Again,
    record_id: &str,
    error: &VbError,
) -> Result<()> {
    let letter = DeadLetter {
        record_id: record_id.to_owned(),
        content_hash: None,
        message: error.message.clone(),
    };
    errors::set_aside(
        installation,
        context.job.id,
        ErrorClass::Source,
        again.attempt,
        vec![letter],
    )?;
    settle_changes(installation, &context.job, &again.record_ids)?;
    if let Some(batch_id) = again.batch_id {
        batches::end(installation, batch_id)?;
    }
    Ok(())
}

/// Changes of records that were set aside are done: they come up again when the records change again.
pub(crate) fn settle_changes(installation: &Installation, job: &Job, record_ids: &[String]) -> Result<()> {
    if job.kind != JobKind::Sync {
        return Ok(());
    }
    let owner = Owner {
        client_id: job.client_id,
        source: job.source,
        vector_type: &job.vector_type,
    };
    let numbers = changes::numbers(installation, owner, record_ids)?;
    let numbers = numbers
        .into_iter()
        .map(|(record_id, numbered)| (record_id, numbered.number));
    changes::settle(installation, owner, numbers)
}
