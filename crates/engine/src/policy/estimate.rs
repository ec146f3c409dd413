//! How many tokens many texts have, from a sample of them.

use crate::policy::chunking::Chunking;

/// Some of the texts, and what is known of all of them.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// Bytes of each text of the sample.
    pub lengths: &'a [usize],
    /// Its tokens, however long it is, without special tokens.
    pub counts: &'a [usize],
    /// Tokens of a text that the model sees.
    pub window: usize,
    /// How texts are cut; `None` truncates those longer than the window.
    pub chunking: Option<Chunking>,
    /// All texts.
    pub records: u64,
    /// Their bytes; 0 when that is not known.
    pub bytes: u64,
}

/// Special tokens that most models put around a text.
const SPECIAL: f64 = 2.0;

/// Tokens that the model will see of all texts.
///
/// Where the whole sample is seen whole, all texts' bytes are known and say more than the sample's mean: tokens for a
/// byte vary less than lengths do. Else each text counts with what is seen of it.
pub fn tokens(sample: &Sample<'_>) -> f64 {
    let seen: Vec<f64> = sample.counts.iter().map(|count| seen(*count, sample)).collect();
    let total: f64 = seen.iter().sum();
    let bytes: usize = sample.lengths.iter().sum();
    let is_whole = sample.counts.iter().all(|count| *count <= sample.window);
    if seen.is_empty() {
        0.0
    } else if is_whole && bytes > 0 && sample.bytes > 0 {
        total * sample.bytes as f64 / bytes as f64
    } else {
        total * sample.records as f64 / seen.len() as f64
    }
}

/// Tokens that the model sees of a text.
fn seen(count: usize, sample: &Sample<'_>) -> f64 {
    let Some(chunking) = sample.chunking else {
        return count.min(sample.window) as f64 + SPECIAL;
    };
    let tokens = chunking.tokens.min(sample.window).max(1);
    let overlap = (chunking.overlap * tokens / chunking.tokens.max(1)).min(tokens - 1);
    let chunks = if count <= tokens {
        1
    } else {
        1 + (count - tokens).div_ceil(tokens - overlap)
    };
    (count + (chunks - 1) * overlap) as f64 + chunks as f64 * SPECIAL
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample<'a>(lengths: &'a [usize], counts: &'a [usize], records: u64, bytes: u64) -> Sample<'a> {
        Sample {
            lengths,
            counts,
            window: 100,
            chunking: None,
            records,
            bytes,
        }
    }

    #[test]
    fn texts_that_are_seen_whole_count_by_their_bytes() {
        assert_eq!(tokens(&sample(&[40, 60], &[8, 18], 10, 1_000)), 300.0);
    }

    #[test]
    fn texts_beyond_the_window_count_with_the_window() {
        assert_eq!(tokens(&sample(&[40, 6_000], &[8, 1_000], 10, 30_000)), 560.0);
    }

    #[test]
    fn chunks_count_with_what_they_share() {
        let cut = Sample {
            chunking: Some(Chunking {
                tokens: 50,
                overlap: 10,
            }),
            ..sample(&[400], &[130], 1, 0)
        };
        // 0..50, 40..90, 80..130.
        assert_eq!(tokens(&cut), 150.0 + 6.0);
        assert_eq!(tokens(&sample(&[], &[], 0, 0)), 0.0);
    }
}
