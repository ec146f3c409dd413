//! Texts for large batches, and what came of a batch that is done.

use uuid::Uuid;
use vb_engine::batch::{BatchResult, EmbeddedRecord, FailedRecord};

/// Records embedded and failed, and points deleted, of a batch that has to be done.
pub(crate) fn done(result: BatchResult) -> (Vec<EmbeddedRecord>, Vec<FailedRecord>, Vec<Uuid>) {
    match result {
        BatchResult::Done {
            embedded,
            failed,
            deleted,
        } => (embedded, failed, deleted),
        other => panic!("should be done: {other:?}"),
    }
}

/// So many texts, each another.
pub(crate) fn texts(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("text number {number}")).collect()
}
