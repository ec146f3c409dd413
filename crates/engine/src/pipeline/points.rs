//! Makes the points of a batch out of its embeddings, and says which former points they leave over.

use std::collections::HashSet;
use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use super::texts::Texts;
use crate::batch::{Batch, ChunkReference, EmbeddedRecord, FailedRecord, Record};
use crate::point::{Point, PointPayload, point_id, snippet};
use crate::provider::contract::Embedding;

/// What is written to the store for a batch, and what is reported once it is there.
#[derive(Debug, Default)]
pub(super) struct Writes {
    /// Points to write.
    pub(super) points: Vec<Point>,
    /// Points to remove: of rows that are gone, and chunks that a record no longer has. None that is written.
    pub(super) removals: Vec<Uuid>,
    /// Records whose points are among `points`.
    pub(super) embedded: Vec<EmbeddedRecord>,
    /// Records that could not be embedded.
    pub(super) failed: Vec<FailedRecord>,
    /// Those of `removals` whose row is gone.
    pub(super) deleted: Vec<Uuid>,
}

impl Writes {
    /// Of a batch, given for each of its distinct texts the embedding or why there is none.
    pub(super) fn of(batch: &Batch, texts: &Texts, embeddings: &[Result<Embedding, String>]) -> Self {
        let generated_at = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0.0, |age| age.as_secs_f64());
        let mut writes = Self::default();
        for (record, chunks) in batch.records.iter().zip(&texts.records) {
            match embeddings_of(chunks, embeddings) {
                Ok(chunks) => writes.add(batch, record, &chunks, texts, generated_at),
                Err(message) => writes.failed.push(FailedRecord {
                    record_id: record.record_id.clone(),
                    content_hash: record.content_hash,
                    message,
                }),
            }
        }
        // A row that was deleted and inserted again within one batch has the same point id: what is written stays.
        let written: HashSet<Uuid> = writes.points.iter().map(|point| point.id).collect();
        writes.removals.retain(|id| !written.contains(id));
        writes.deleted = batch
            .deletes
            .iter()
            .copied()
            .filter(|id| !written.contains(id))
            .collect();
        writes.removals.extend_from_slice(&writes.deleted);
        writes
    }

    fn add(
        &mut self,
        batch: &Batch,
        record: &Record,
        chunks: &[(usize, &Embedding)],
        texts: &Texts,
        generated_at: f64,
    ) {
        let target = &batch.target;
        let mut references = Vec::with_capacity(chunks.len());
        for (chunk_no, (text, embedding)) in (0u32..).zip(chunks) {
            let id = point_id(target, &record.record_id, chunk_no);
            references.push(ChunkReference {
                point_id: id,
                tokens: embedding.tokens,
            });
            self.points.push(Point {
                id,
                vector: embedding.vector.clone(),
                payload: PointPayload {
                    client_id: target.client_id,
                    source: target.source.clone(),
                    record_id: record.record_id.clone(),
                    vector_type: target.vector_type.clone(),
                    chunk_no,
                    text_content: snippet(&texts.distinct[*text]),
                    content_hash: hexadecimal(&record.content_hash),
                    provider: batch.provider.name.clone(),
                    model: batch.provider.model.clone(),
                    generated_at,
                },
            });
        }
        self.removals.extend_from_slice(&record.present_points);
        self.embedded.push(EmbeddedRecord {
            record_id: record.record_id.clone(),
            content_hash: record.content_hash,
            chunks: references,
            truncated: chunks.iter().any(|(_, embedding)| embedding.truncated),
        });
    }
}

/// A record's chunks as (position of the text, embedding); a record is embedded as a whole or not at all.
fn embeddings_of<'a>(
    chunks: &Result<Vec<usize>, String>,
    embeddings: &'a [Result<Embedding, String>],
) -> Result<Vec<(usize, &'a Embedding)>, String> {
    let chunks = chunks.as_ref().map_err(String::clone)?;
    chunks
        .iter()
        .map(|&text| {
            embeddings[text]
                .as_ref()
                .map(|embedding| (text, embedding))
                .map_err(String::clone)
        })
        .collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
