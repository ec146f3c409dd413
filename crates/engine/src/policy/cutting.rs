//! Cuts the texts of a batch into requests that a provider takes.

use std::ops::Range;

/// What one text adds to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextSize {
    /// Tokens, by the estimate that the provider itself goes by.
    pub tokens: usize,
    /// Bytes in the request's body.
    pub bytes: usize,
}

/// What one request may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLimits {
    /// Texts, at least 1.
    pub texts: usize,
    /// Tokens of all texts together.
    pub tokens: usize,
    /// Bytes of all texts together.
    pub bytes: usize,
}

/// Tokens that a text of so many bytes is taken for: a quarter of its UTF-8 bytes, which is how OpenAI counts against
/// its limit of a request before it tokenises anything.
pub fn estimated_tokens(bytes: usize) -> usize {
    bytes.div_ceil(4)
}

/// Ranges of positions, in order, each as long as the limits allow. A text that is larger than a whole request may be goes
/// alone: what it is worth is for the provider to say.
pub fn cut(sizes: &[TextSize], limits: RequestLimits) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let (mut start, mut tokens, mut bytes) = (0, 0_usize, 0_usize);
    for (position, size) in sizes.iter().enumerate() {
        let fits = position - start < limits.texts
            && tokens.saturating_add(size.tokens) <= limits.tokens
            && bytes.saturating_add(size.bytes) <= limits.bytes;
        if !fits && position > start {
            ranges.push(start..position);
            (start, tokens, bytes) = (position, 0, 0);
        }
        tokens = tokens.saturating_add(size.tokens);
        bytes = bytes.saturating_add(size.bytes);
    }
    if start < sizes.len() {
        ranges.push(start..sizes.len());
    }
    ranges
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn sizes() -> impl Strategy<Value = Vec<TextSize>> {
        vec((0usize..5_000, 0usize..20_000), 0..300).prop_map(|sizes| {
            let size = |(tokens, bytes)| TextSize { tokens, bytes };
            sizes.into_iter().map(size).collect()
        })
    }

    fn limits() -> impl Strategy<Value = RequestLimits> {
        (1usize..100, 1usize..20_000, 1usize..60_000).prop_map(|(texts, tokens, bytes)| RequestLimits {
            texts,
            tokens,
            bytes,
        })
    }

    fn is_within(sizes: &[TextSize], limits: RequestLimits) -> bool {
        sizes.len() <= limits.texts
            && sizes.iter().map(|size| size.tokens).sum::<usize>() <= limits.tokens
            && sizes.iter().map(|size| size.bytes).sum::<usize>() <= limits.bytes
    }

    proptest! {
        #[test]
        fn no_text_is_lost_doubled_or_out_of_order(sizes in sizes(), limits in limits()) {
            let ranges = cut(&sizes, limits);
            prop_assert!(ranges.iter().all(|range| !range.is_empty()));
            let positions: Vec<usize> = ranges.into_iter().flatten().collect();
            prop_assert_eq!(positions, (0..sizes.len()).collect::<Vec<_>>());
        }

        #[test]
        fn no_request_exceeds_a_limit_unless_a_single_text_does(sizes in sizes(), limits in limits()) {
            for range in cut(&sizes, limits) {
                prop_assert!(range.len() == 1 || is_within(&sizes[range], limits));
            }
        }

        #[test]
        fn no_request_has_room_for_the_text_after_it(sizes in sizes(), limits in limits()) {
            let ranges = cut(&sizes, limits);
            for range in ranges.iter().filter(|range| range.end < sizes.len()) {
                prop_assert!(!is_within(&sizes[range.start..=range.end], limits));
            }
        }
    }
}
