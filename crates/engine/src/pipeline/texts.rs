//! Turns the records of a batch into the texts that are embedded: long ones are cut into chunks, equal ones are sent once.

use std::collections::HashMap;
use std::sync::Arc;

use crate::batch::Record;
use crate::policy::chunking::{Chunking, chunk_ranges};
use crate::provider::contract::{EmbeddingProvider, ProviderError};

/// The texts of a batch and which of them each record consists of.
#[derive(Debug)]
pub(super) struct Texts {
    /// No two are equal.
    pub(super) distinct: Vec<Arc<str>>,
    /// For each record, in order: the positions of its chunks in `distinct`, or why it could not be cut.
    pub(super) records: Vec<Result<Vec<usize>, String>>,
}

impl Texts {
    /// Cuts and collects. Takes processor time when `chunking` is set, since every text is tokenised then.
    pub(super) fn of(
        records: &[Record],
        chunking: Option<Chunking>,
        provider: &dyn EmbeddingProvider,
    ) -> Result<Self, ProviderError> {
        let mut positions: HashMap<Arc<str>, usize> = HashMap::new();
        let mut distinct = Vec::new();
        let mut of_records = Vec::with_capacity(records.len());
        for record in records {
            let chunks = match chunking {
                None => vec![record.text.clone()],
                Some(chunking) => match cut(&record.text, chunking, provider) {
                    Ok(chunks) => chunks,
                    Err(ProviderError::Record(message)) => {
                        of_records.push(Err(message));
                        continue;
                    }
                    Err(error) => return Err(error),
                },
            };
            let chunks = chunks.into_iter().map(|chunk| {
                *positions.entry(chunk).or_insert_with_key(|chunk| {
                    distinct.push(chunk.clone());
                    distinct.len() - 1
                })
            });
            of_records.push(Ok(chunks.collect()));
        }
        Ok(Self {
            distinct,
            records: of_records,
        })
    }
}

/// The text's chunks, at least one.
fn cut(text: &Arc<str>, chunking: Chunking, provider: &dyn EmbeddingProvider) -> Result<Vec<Arc<str>>, ProviderError> {
    let spans = provider.token_spans(text)?;
    let ranges = chunk_ranges(&spans, fitted(chunking, provider.limits().max_tokens));
    if ranges.len() <= 1 {
        return Ok(vec![text.clone()]);
    }
    let chunks = ranges.into_iter().map(|range| {
        // A tokenizer that works on bytes may put a border inside a character: take the whole character then.
        let end = text.ceil_char_boundary(range.end);
        let start = text.floor_char_boundary(range.start).min(end);
        Arc::from(&text[start..end])
    });
    Ok(chunks.collect())
}

/// Chunks that the model sees whole: when they are wished longer than its window, chunk and overlap shrink alike.
fn fitted(chunking: Chunking, window: usize) -> Chunking {
    if chunking.tokens <= window {
        return chunking;
    }
    Chunking {
        tokens: window,
        overlap: chunking.overlap * window / chunking.tokens,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_longer_than_the_window_shrinks_with_its_overlap() {
        let wished = Chunking {
            tokens: 512,
            overlap: 128,
        };
        assert_eq!(
            fitted(wished, 256),
            Chunking {
                tokens: 256,
                overlap: 64
            }
        );
        assert_eq!(fitted(wished, 512), wished);
    }
}
