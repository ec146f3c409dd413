//! What comes back from an embeddings endpoint: taken apart, and believed only when all of it fits.

use serde::Deserialize;

use crate::numbers::Numbers;

/// Bytes of a number at most, in decimals with what JSON puts between them.
const BYTES_PER_NUMBER: usize = 26;

/// Bytes of an embedding besides its numbers, and of an answer besides its embeddings.
const BYTES_PER_EMBEDDING: usize = 256;
const BYTES_PER_ANSWER: usize = 16 * 1024;

/// The most dimensions that an embedding of unknown length can have.
const MOST_DIMENSIONS: usize = 65_536;

/// An answer that fits what was asked.
#[derive(Debug, PartialEq)]
pub struct Answer {
    /// One vector of length one for each text, in the order of the texts.
    pub vectors: Vec<Vec<f32>>,
    /// Tokens that the service says it will charge for.
    pub tokens: Option<u64>,
}

/// Why an answer is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// It is not what an embeddings endpoint gives: HTML, or JSON of another shape.
    NotEmbeddings,
    /// More or fewer embeddings than texts, or not one for each.
    WrongCount,
    /// Embeddings of another length than asked for, or not all of the same.
    WrongDimensions,
    /// A number that is not finite, or a vector without a direction.
    NotFinite,
}

#[derive(Deserialize)]
struct Body {
    data: Vec<Item>,
    usage: Option<UsageOfBody>,
}

#[derive(Deserialize)]
struct Item {
    index: Option<usize>,
    embedding: Numbers,
}

#[derive(Deserialize)]
struct UsageOfBody {
    total_tokens: Option<u64>,
    prompt_tokens: Option<u64>,
}

/// The longest right answer to so many texts, in bytes.
pub fn longest(texts: usize, dimensions: Option<usize>) -> usize {
    let embedding = dimensions.unwrap_or(MOST_DIMENSIONS) * BYTES_PER_NUMBER + BYTES_PER_EMBEDDING;
    texts.saturating_mul(embedding).saturating_add(BYTES_PER_ANSWER)
}

/// Takes an answer to so many texts apart. Takes processor time.
pub fn parse(body: &[u8], texts: usize, dimensions: Option<usize>) -> Result<Answer, Unusable> {
    let body: Body = serde_json::from_slice(body).map_err(|_| {
        // What some languages write into JSON for what is no number.
        let has_no_number = [&b"NaN"[..], b"Infinity"]
            .iter()
            .any(|word| body.windows(word.len()).any(|window| window == *word));
        if body.starts_with(b"{") && has_no_number {
            Unusable::NotFinite
        } else {
            Unusable::NotEmbeddings
        }
    })?;
    if body.data.len() != texts {
        return Err(Unusable::WrongCount);
    }
    let mut vectors: Vec<Option<Vec<f32>>> = vec![None; texts];
    for (position, item) in body.data.into_iter().enumerate() {
        // Some services leave the index out and keep the order.
        let position = item.index.unwrap_or(position);
        let Some(place) = vectors.get_mut(position).filter(|place| place.is_none()) else {
            return Err(Unusable::WrongCount);
        };
        if dimensions.is_some_and(|dimensions| dimensions != item.embedding.0.len()) {
            return Err(Unusable::WrongDimensions);
        }
        *place = Some(item.embedding.normalised().ok_or(Unusable::NotFinite)?);
    }
    let vectors: Vec<Vec<f32>> = vectors.into_iter().flatten().collect();
    if vectors.windows(2).any(|pair| pair[0].len() != pair[1].len()) {
        return Err(Unusable::WrongDimensions);
    }
    Ok(Answer {
        vectors,
        tokens: body.usage.and_then(|usage| usage.total_tokens.or(usage.prompt_tokens)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &str, texts: usize) -> Result<Answer, Unusable> {
        parse(body.as_bytes(), texts, Some(2))
    }

    #[test]
    fn embeddings_are_put_into_the_order_of_the_texts_by_their_index() {
        let body = r#"{"object": "list", "model": "m", "usage": {"prompt_tokens": 7, "total_tokens": 8}, "data": [
            {"object": "embedding", "index": 1, "embedding": [0, 2]}, {"index": 0, "embedding": [3, 0]}]}"#;
        let vectors = vec![vec![1.0, 0.0], vec![0.0, 1.0]];
        assert_eq!(
            parsed(body, 2),
            Ok(Answer {
                vectors,
                tokens: Some(8)
            })
        );
        let without_index = r#"{"data": [{"embedding": [1, 0]}, {"embedding": [0, 1]}]}"#;
        assert_eq!(parsed(without_index, 2).map(|answer| answer.tokens), Ok(None));
    }

    #[test]
    fn whatever_does_not_fit_is_not_believed() {
        let table = [
            ("<html>", Unusable::NotEmbeddings),
            ("", Unusable::NotEmbeddings),
            (
                r#"{"data": [{"index": 0, "embedding": [1, 0]}"#,
                Unusable::NotEmbeddings,
            ),
            (r#"{"error": "no"}"#, Unusable::NotEmbeddings),
            (r#"{"data": []}"#, Unusable::WrongCount),
            (
                r#"{"data": [{"embedding": [1, 0]}, {"embedding": [1, 0]}]}"#,
                Unusable::WrongCount,
            ),
            (r#"{"data": [{"index": 1, "embedding": [1, 0]}]}"#, Unusable::WrongCount),
            (r#"{"data": [{"embedding": [1, 0, 0]}]}"#, Unusable::WrongDimensions),
            (r#"{"data": [{"embedding": []}]}"#, Unusable::WrongDimensions),
            (r#"{"data": [{"embedding": [0, 0]}]}"#, Unusable::NotFinite),
            (r#"{"data": [{"embedding": [null, 1]}]}"#, Unusable::NotFinite),
            (r#"{"data": [{"embedding": [NaN, 1]}]}"#, Unusable::NotFinite),
            (r#"{"data": [{"embedding": [1e39, 1]}]}"#, Unusable::NotFinite),
        ];
        for (body, fault) in table {
            assert_eq!(parsed(body, 1), Err(fault), "{body}");
        }
        let double = r#"{"data": [{"index": 0, "embedding": [1, 0]}, {"index": 0, "embedding": [0, 1]}]}"#;
        assert_eq!(parsed(double, 2), Err(Unusable::WrongCount));
        let uneven = r#"{"data": [{"embedding": [1, 0]}, {"embedding": [0, 1, 0]}]}"#;
        assert_eq!(parse(uneven.as_bytes(), 2, None), Err(Unusable::WrongDimensions));
    }

    #[test]
    fn the_longest_answer_has_room_for_decimals_of_full_length() {
        let numbers = vec!["-1.2345678901234567e-123"; 1_536].join(", ");
        assert!(numbers.len() < longest(1, Some(1_536)));
    }
}
