//! Cuts a text that is longer than the model's window into overlapping chunks on token borders.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// How a source wants its long texts cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunking {
    /// Tokens in a chunk, at least 1.
    pub tokens: usize,
    /// Tokens that a chunk shares with the one before; less than `tokens`.
    pub overlap: usize,
}

/// Byte ranges of a text's chunks, given the byte ranges of its tokens in order. Together they cover everything from
/// the first token to the last. Each has at most `tokens` tokens, and shares at least `overlap` with the one before it.
/// A text without tokens has no chunk.
///
/// Borders go between words where there is a gap near by: half a word is another token than a part of a whole one.
///
/// Values that make no sense are bent into the nearest ones that do: chunks always move on by at least one token.
pub fn chunk_ranges(spans: &[Range<usize>], chunking: Chunking) -> Vec<Range<usize>> {
    let tokens = chunking.tokens.max(1);
    let overlap = chunking.overlap.min(tokens - 1);
    // How far a border may give way to reach a gap; what is shared then still leaves room for something new.
    let slack = (tokens - overlap) / 4;
    let is_gap = |position: usize| position == spans.len() || spans[position - 1].end < spans[position].start;
    let border = |wanted: usize, after: usize| {
        let nearest = wanted.saturating_sub(slack).max(after + 1);
        (nearest..=wanted)
            .rev()
            .find(|position| is_gap(*position))
            .unwrap_or(wanted)
    };

    let mut chunks = Vec::new();
    let (mut start, mut covered) = (0, 0);
    while covered < spans.len() {
        let end = border(spans.len().min(start + tokens), covered);
        chunks.push(spans[start].start..spans[end - 1].end);
        covered = end;
        start = border(end.saturating_sub(overlap).max(start + 1), start);
    }
    chunks
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Token spans as a tokenizer gives them: in order, not empty, with gaps where the text has white space.
    fn spans() -> impl Strategy<Value = Vec<Range<usize>>> {
        vec((0usize..4, 1usize..12), 0..400).prop_map(|tokens| {
            let mut at = 0;
            tokens
                .into_iter()
                .map(|(gap, length)| {
                    let start = at + gap;
                    at = start + length;
                    start..at
                })
                .collect()
        })
    }

    fn chunking() -> impl Strategy<Value = Chunking> {
        (1usize..80)
            .prop_flat_map(|tokens| (Just(tokens), 0..tokens))
            .prop_map(|(tokens, overlap)| Chunking { tokens, overlap })
    }

    /// How far a border may give way.
    fn slack(chunking: Chunking) -> usize {
        (chunking.tokens - chunking.overlap) / 4
    }

    /// Positions of the tokens that lie in a chunk.
    fn tokens_in(spans: &[Range<usize>], chunk: &Range<usize>) -> Range<usize> {
        let first = spans
            .iter()
            .position(|span| span.start == chunk.start)
            .expect("a chunk starts with a token");
        let last = spans
            .iter()
            .position(|span| span.end == chunk.end)
            .expect("a chunk ends with a token");
        first..last + 1
    }

    proptest! {
        #[test]
        fn chunks_cover_everything_from_the_first_token_to_the_last(spans in spans(), chunking in chunking()) {
            let chunks = chunk_ranges(&spans, chunking);
            prop_assert_eq!(chunks.is_empty(), spans.is_empty());
            let held: Vec<_> = chunks.iter().map(|chunk| tokens_in(&spans, chunk)).collect();
            prop_assert_eq!(held.first().map_or(0, |tokens| tokens.start), 0);
            prop_assert_eq!(held.last().map_or(0, |tokens| tokens.end), spans.len());
            prop_assert!(held.windows(2).all(|pair| pair[1].start <= pair[0].end));
        }

        #[test]
        fn every_chunk_fits_and_all_but_the_last_are_nearly_full(spans in spans(), chunking in chunking()) {
            let chunks = chunk_ranges(&spans, chunking);
            for (number, chunk) in chunks.iter().enumerate() {
                let tokens = tokens_in(&spans, chunk).len();
                prop_assert!(tokens <= chunking.tokens);
                prop_assert!(tokens + slack(chunking) >= chunking.tokens || number + 1 == chunks.len());
            }
        }

        #[test]
        fn neighbours_share_the_overlap_and_little_more_and_each_adds_something(spans in spans(), chunking in chunking()) {
            for pair in chunk_ranges(&spans, chunking).windows(2) {
                let (before, after) = (tokens_in(&spans, &pair[0]), tokens_in(&spans, &pair[1]));
                let shared = before.end - after.start;
                prop_assert!((chunking.overlap..=chunking.overlap + slack(chunking)).contains(&shared), "{}", shared);
                prop_assert!(after.end > before.end);
            }
        }

        #[test]
        fn words_of_one_token_give_full_chunks_and_exactly_the_overlap(words in 0usize..300, chunking in chunking()) {
            let spans: Vec<_> = (0..words).map(|word| word * 5..word * 5 + 4).collect();
            let held: Vec<_> = chunk_ranges(&spans, chunking).iter().map(|chunk| tokens_in(&spans, chunk)).collect();
            for pair in held.windows(2) {
                prop_assert_eq!(pair[0].len(), chunking.tokens);
                prop_assert_eq!(pair[0].end - pair[1].start, chunking.overlap);
            }
        }

        #[test]
        fn no_word_is_cut_when_words_are_short(lengths in vec(1usize..4, 1..120), overlap in 0usize..8) {
            // Words of up to three adjoining tokens, a gap between them; there is a gap within the slack of any border.
            let chunking = Chunking { tokens: 24, overlap };
            let mut spans = Vec::new();
            let mut at = 0;
            for length in lengths {
                for _ in 0..length {
                    spans.push(at..at + 2);
                    at += 2;
                }
                at += 1;
            }
            for chunk in chunk_ranges(&spans, chunking) {
                prop_assert!(chunk.start == 0 || !spans.iter().any(|span| span.end == chunk.start));
                prop_assert!(!spans.iter().any(|span| span.start == chunk.end));
            }
        }

        #[test]
        fn senseless_values_still_cover_everything_and_end(
            spans in spans(),
            tokens in 0usize..5,
            overlap in 0usize..9,
        ) {
            let chunks = chunk_ranges(&spans, Chunking { tokens, overlap });
            prop_assert!(chunks.len() <= spans.len());
            prop_assert_eq!(chunks.last().map(|chunk| chunk.end), spans.last().map(|span| span.end));
        }
    }

    #[test]
    fn a_text_that_fits_is_one_chunk() {
        assert_eq!(
            chunk_ranges(&[1..4, 5..9], Chunking { tokens: 2, overlap: 1 }),
            vec![1..9]
        );
    }
}
