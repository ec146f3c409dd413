//! What comes back from an embeddings endpoint: read up to a limit, taken apart, and believed only when all of it fits.

use reqwest::Response;
use serde::Deserialize;

use super::numbers::Numbers;
use crate::policy::verdict::Fault;

/// Bytes of a number at most, in decimals with what JSON puts between them.
const BYTES_PER_NUMBER: usize = 26;

/// Bytes of an embedding besides its numbers, and of an answer besides its embeddings.
const BYTES_PER_EMBEDDING: usize = 256;
const BYTES_PER_ANSWER: usize = 16 * 1024;

/// The most dimensions that an embedding of unknown length can have.
const MOST_DIMENSIONS: usize = 65_536;

/// An answer that fits what was asked.
#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    /// One vector of length one for each text, in the order of the texts.
    pub(super) vectors: Vec<Vec<f32>>,
    /// Tokens that the service says it will charge for.
    pub(super) tokens: Option<u64>,
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
pub(super) fn longest(texts: usize, dimensions: Option<usize>) -> usize {
    let embedding = dimensions.unwrap_or(MOST_DIMENSIONS) * BYTES_PER_NUMBER + BYTES_PER_EMBEDDING;
    texts.saturating_mul(embedding).saturating_add(BYTES_PER_ANSWER)
}

/// Reads a body, but no more than so many bytes of it.
pub(super) async fn read(mut response: Response, most: usize) -> Result<Vec<u8>, ReadError> {
    let announced = response.content_length().unwrap_or(0);
    if announced > most as u64 {
        return Err(ReadError::TooLarge);
    }
    let mut body = Vec::with_capacity(announced as usize);
    while let Some(chunk) = response.chunk().await.map_err(ReadError::Broken)? {
        if body.len() + chunk.len() > most {
            return Err(ReadError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Why a body was not read.
#[derive(Debug)]
pub(super) enum ReadError {
    /// It is longer than allowed.
    TooLarge,
    /// It ended early.
    Broken(reqwest::Error),
}

/// Takes an answer to so many texts apart. Takes processor time.
pub(super) fn parse(body: &[u8], texts: usize, dimensions: Option<usize>) -> Result<Answer, Fault> {
    let body: Body = serde_json::from_slice(body).map_err(|_| {
        // What some languages write into JSON for what is no number.
        let has_no_number = [&b"NaN"[..], b"Infinity"]
            .iter()
            .any(|word| body.windows(word.len()).any(|window| window == *word));
        if body.starts_with(b"{") && has_no_number {
            Fault::NotFinite
        } else {
            Fault::NotEmbeddings
        }
    })?;
    if body.data.len() != texts {
        return Err(Fault::WrongCount);
    }
    let mut vectors: Vec<Option<Vec<f32>>> = vec![None; texts];
    for (position, item) in body.data.into_iter().enumerate() {
        // Some services leave the index out and keep the order.
        let position = item.index.unwrap_or(position);
        let Some(place) = vectors.get_mut(position).filter(|place| place.is_none()) else {
            return Err(Fault::WrongCount);
        };
        if dimensions.is_some_and(|dimensions| dimensions != item.embedding.0.len()) {
            return Err(Fault::WrongDimensions);
        }
        *place = Some(item.embedding.normalised().ok_or(Fault::NotFinite)?);
    }
    let vectors: Vec<Vec<f32>> = vectors.into_iter().flatten().collect();
    if vectors.windows(2).any(|pair| pair[0].len() != pair[1].len()) {
        return Err(Fault::WrongDimensions);
    }
    Ok(Answer {
        vectors,
        tokens: body.usage.and_then(|usage| usage.total_tokens.or(usage.prompt_tokens)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &str, texts: usize) -> Result<Answer, Fault> {
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
            ("<html>", Fault::NotEmbeddings),
            ("", Fault::NotEmbeddings),
            (r#"{"data": [{"index": 0, "embedding": [1, 0]}"#, Fault::NotEmbeddings),
            (r#"{"error": "no"}"#, Fault::NotEmbeddings),
            (r#"{"data": []}"#, Fault::WrongCount),
            (
                r#"{"data": [{"embedding": [1, 0]}, {"embedding": [1, 0]}]}"#,
                Fault::WrongCount,
            ),
            (r#"{"data": [{"index": 1, "embedding": [1, 0]}]}"#, Fault::WrongCount),
            (r#"{"data": [{"embedding": [1, 0, 0]}]}"#, Fault::WrongDimensions),
            (r#"{"data": [{"embedding": []}]}"#, Fault::WrongDimensions),
            (r#"{"data": [{"embedding": [0, 0]}]}"#, Fault::NotFinite),
            (r#"{"data": [{"embedding": [null, 1]}]}"#, Fault::NotFinite),
            (r#"{"data": [{"embedding": [NaN, 1]}]}"#, Fault::NotFinite),
            (r#"{"data": [{"embedding": [1e39, 1]}]}"#, Fault::NotFinite),
        ];
        for (body, fault) in table {
            assert_eq!(parsed(body, 1), Err(fault), "{body}");
        }
        let double = r#"{"data": [{"index": 0, "embedding": [1, 0]}, {"index": 0, "embedding": [0, 1]}]}"#;
        assert_eq!(parsed(double, 2), Err(Fault::WrongCount));
        let uneven = r#"{"data": [{"embedding": [1, 0]}, {"embedding": [0, 1, 0]}]}"#;
        assert_eq!(parse(uneven.as_bytes(), 2, None), Err(Fault::WrongDimensions));
    }

    #[test]
    fn the_longest_answer_has_room_for_decimals_of_full_length() {
        let numbers = vec!["-1.2345678901234567e-123"; 1_536].join(", ");
        assert!(numbers.len() < longest(1, Some(1_536)));
    }
}
