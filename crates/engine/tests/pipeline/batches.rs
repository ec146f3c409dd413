//! Texts for large batches, and what came of a batch that is done.

use uuid::Uuid;
use vb_engine::batch::{BatchResult, EmbeddedRecord, FailedRecord, Left};

/// Records embedded and failed, and points deleted, of a batch that has to be done.
pub(crate) fn done(result: BatchResult) -> (Vec<EmbeddedRecord>, Vec<FailedRecord>, Vec<Uuid>) {
    match result {
        BatchResult::Done {
            embedded,
            failed,
            deleted,
            left: None,
        } => (embedded, failed, deleted),
        other => panic!("should be done: {other:?}"),
    }
}

/// Records embedded and failed, and those that are left with the reason, of a batch that is done in part.
pub(crate) fn partly(result: BatchResult) -> (Vec<EmbeddedRecord>, Vec<FailedRecord>, Left) {
    match result {
        BatchResult::Done {
            embedded,
            failed,
            left: Some(left),
            ..
        } => (embedded, failed, left),
        other => panic!("should be done in part: {other:?}"),
    }
}

/// So many texts, each another.
pub(crate) fn texts(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("text number {number}")).collect()
}
