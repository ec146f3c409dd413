//! Makes the points of a batch out of its embeddings, and says which former points they leave over.

use std::collections::HashSet;
use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use super::embed::Fate;
use super::texts::Texts;
use crate::batch::{Batch, ChunkReference, EmbeddedRecord, FailedRecord, FailureClass, Record};
use crate::keywords::Keywords;
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
    /// Records of which nothing is known yet.
    pub(super) left: Vec<String>,
    /// Those of `removals` whose row is gone.
    pub(super) deleted: Vec<Uuid>,
}

impl Writes {
    /// Of a batch, given for each of its distinct texts what became of it.
    pub(super) fn of(batch: &Batch, texts: &Texts, fates: &[Fate]) -> Self {
        let generated_at = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0.0, |age| age.as_secs_f64());
        let mut writes = Self::default();
        for (record, chunks) in batch.records.iter().zip(&texts.records) {
            match embeddings_of(chunks, fates) {
                Ok(Some(chunks)) => writes.add(batch, record, &chunks, texts, generated_at),
                Ok(None) => writes.left.push(record.record_id.clone()),
                Err((class, message)) => writes.failed.push(FailedRecord {
                    record_id: record.record_id.clone(),
                    content_hash: record.content_hash,
                    class,
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

    fn add(&mut self, batch: &Batch, record: &Record, chunks: &[Chunk<'_>], texts: &Texts, generated_at: f64) {
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
                keywords: Keywords::of_text(&texts.distinct[*text]),
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
                    fields: serde_json::Map::new(),
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

/// Position of a chunk's text, and its embedding.
type Chunk<'a> = (usize, &'a Embedding);

/// A record's chunks, `None` when some are still to be done; a record is embedded as a
/// whole or not at all.
fn embeddings_of<'a>(
    chunks: &Result<Vec<usize>, String>,
    fates: &'a [Fate],
) -> Result<Option<Vec<Chunk<'a>>>, (FailureClass, String)> {
    let chunks = chunks
        .as_ref()
        .map_err(|message| (FailureClass::Record, message.clone()))?;
    let mut embeddings = Some(Vec::with_capacity(chunks.len()));
    for &text in chunks {
        match &fates[text] {
            Fate::Embedded(embedding) => {
                if let Some(embeddings) = &mut embeddings {
                    embeddings.push((text, embedding));
                }
            }
            Fate::Left => embeddings = None,
            Fate::Refused { class, message } => return Err((*class, message.clone())),
        }
    }
    Ok(embeddings)
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
