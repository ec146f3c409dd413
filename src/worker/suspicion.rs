//! Records that may have crashed the worker: found by halving, set aside when certain.

use super::unreadable;
use crate::catalog::batches::{self, WaitingBatch};
use crate::catalog::errors::{self, DeadLetter, ErrorClass};
use crate::catalog::installation::Installation;
use crate::catalog::jobs::Job;
use crate::error::Result;

/// Crashes at which a batch was in flight before it is taken apart.
const PATIENCE: i32 = 2;

/// Batches of a job that were in flight when a worker died. One that was in flight at two crashes is halved, and a
/// single record that was in flight at two more is set aside. Halves run alone, so that nothing innocent falls under
/// suspicion; a half that crashes again is halved again at once.
pub(crate) fn settle(installation: &Installation, of: &Job) -> Result<Vec<WaitingBatch>> {
    let job = of.id;
    let mut settled = Vec::new();
    for batch in batches::waiting(installation, job)? {
        if batch.crashes < PATIENCE {
            settled.push(batch);
        } else if let [record_id] = batch.record_ids.as_slice() {
            let letter = DeadLetter {
                record_id: record_id.clone(),
                content_hash: None,
                message: format!("crashed the worker {} times", batch.crashes),
            };
            errors::set_aside(installation, job, ErrorClass::Crash, batch.attempt, vec![letter])?;
            unreadable::settle_changes(installation, of, &batch.record_ids)?;
            batches::end(installation, batch.id)?;
        } else {
            settled.extend(batches::halve(installation, job, batch)?);
        }
    }
    Ok(settled)
}
