//! Answers of embedding services: one that is believed has a vector of length one for each text, of the dimensions that
//! were asked for, and means the same in decimals and in base64.
//!
//! An input is a digit for the texts asked about, a digit for the dimensions (0: unknown), and the body.

#![no_main]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use vb_formats::answer::{Answer, Unusable, parse};

/// What rounding to the nearest may change.
const TOLERANCE: f64 = 1e-5;

fuzz_target!(|input: &[u8]| {
    let [texts, dimensions, body @ ..] = input else { return };
    let digit = |byte: &u8| usize::from(byte.wrapping_sub(b'0') % 10);
    let texts = digit(texts);
    let dimensions = Some(digit(dimensions)).filter(|dimensions| *dimensions > 0);
    let Ok(answer) = parse(body, texts, dimensions) else {
        return;
    };

    assert_eq!(answer.vectors.len(), texts);
    let width = dimensions.or(answer.vectors.first().map(Vec::len)).unwrap_or_default();
    for vector in &answer.vectors {
        assert_eq!(vector.len(), width);
        assert!(vector.iter().all(|number| number.is_finite()));
        let length = vector
            .iter()
            .map(|number| f64::from(*number).powi(2))
            .sum::<f64>()
            .sqrt();
        assert!((length - 1.0).abs() < TOLERANCE, "a length of {length}");
    }
    assert_eq!(parse(body, texts + 1, dimensions), Err(Unusable::WrongCount));

    let decimals = answer.vectors.iter().map(|vector| json!(vector));
    same(&answer, decimals, width);
    let in_base64 = answer.vectors.iter().map(|vector| {
        let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
        json!(STANDARD.encode(bytes))
    });
    same(&answer, in_base64, width);
});

/// The last embedding first: the index says which is whose.
fn same(answer: &Answer, embeddings: impl DoubleEndedIterator<Item = Value> + ExactSizeIterator, width: usize) {
    let items = embeddings.enumerate().rev();
    let data: Vec<Value> = items
        .map(|(index, embedding)| json!({"index": index, "embedding": embedding}))
        .collect();
    let body = json!({"data": data, "usage": {"total_tokens": answer.tokens}}).to_string();
    let again = parse(body.as_bytes(), answer.vectors.len(), Some(width)).expect("it is as it should be");
    assert_eq!(again.tokens, answer.tokens);
    for (first, second) in answer.vectors.iter().flatten().zip(again.vectors.iter().flatten()) {
        assert!((f64::from(*first) - f64::from(*second)).abs() < TOLERANCE);
    }
}
