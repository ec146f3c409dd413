//! Makes the points of a batch out of its embeddings, and says which former points they leave over.

use std::collections::HashSet;
use std::fmt::Write;

use uuid::Uuid;

use super::embed::Fate;
use super::texts::Texts;
use crate::batch::{Batch, ChunkReference, EmbeddedRecord, FailedRecord, FailureClass, Record, Target};
use crate::point::{Chunk, MadeBy, Point, now};
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
        let made_by = MadeBy {
            provider: &batch.provider.name,
            model: &batch.provider.model,
            at: now(),
        };
        let mut writes = Self::default();
        for (record, chunks) in batch.records.iter().zip(&texts.records) {
            match embeddings_of(chunks, fates) {
                Ok(Some(chunks)) => writes.add(&batch.target, record, &chunks, texts, made_by),
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

    fn add(&mut self, target: &Target, record: &Record, chunks: &[Made<'_>], texts: &Texts, made_by: MadeBy<'_>) {
        let content_hash = hexadecimal(&record.content_hash);
        let mut references = Vec::with_capacity(chunks.len());
        for (number, (text, embedding)) in (0u32..).zip(chunks) {
            let chunk = Chunk {
                record_id: &record.record_id,
                number,
                text: &texts.distinct[*text],
                content_hash: &content_hash,
                fields: &record.fields,
            };
            let point = Point::of(target, chunk, made_by, embedding.vector.clone());
            references.push(ChunkReference {
                point_id: point.id,
                tokens: embedding.tokens,
            });
            self.points.push(point);
        }
        self.removals.extend_from_slice(&record.present_points);
        self.embedded.push(EmbeddedRecord {
            record_id: record.record_id.clone(),
            content_hash: record.content_hash,
            fields_hash: record.fields.hash.clone(),
            chunks: references,
            truncated: chunks.iter().any(|(_, embedding)| embedding.truncated),
        });
    }
}

/// Position of a chunk's text, and its embedding.
type Made<'a> = (usize, &'a Embedding);

/// A record's chunks, `None` when some are still to be done; a record is embedded as a
/// whole or not at all.
fn embeddings_of<'a>(
    chunks: &Result<Vec<usize>, String>,
    fates: &'a [Fate],
) -> Result<Option<Vec<Made<'a>>>, (FailureClass, String)> {
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
