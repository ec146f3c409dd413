//! The numbers of one embedding, as services write them: bytes in base64, or decimals.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

/// One embedding as it came, however it was written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Numbers(pub(crate) Vec<f32>);

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumbersVisitor)
    }
}

struct NumbersVisitor;

impl<'de> Visitor<'de> for NumbersVisitor {
    type Value = Numbers;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("numbers, or their bytes in base64")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Numbers, E> {
        let bytes = STANDARD.decode(text).map_err(|_| E::custom("not base64"))?;
        let (numbers, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(E::custom("not whole numbers of four bytes"));
        }
        Ok(Numbers(
            numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
        ))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Numbers, A::Error> {
        let mut numbers = Vec::with_capacity(sequence.size_hint().unwrap_or(0).min(4_096));
        // Some services write null where there is no number.
        while let Some(number) = sequence.next_element::<Option<f32>>()? {
            numbers.push(number.unwrap_or(f32::NAN));
        }
        Ok(Numbers(numbers))
    }
}

impl Numbers {
    /// The vector of length one in the same direction; `None` when there is none.
    pub(crate) fn normalised(self) -> Option<Vec<f32>> {
        let mut vector = self.0;
        let length = vector
            .iter()
            .map(|number| f64::from(*number).powi(2))
            .sum::<f64>()
            .sqrt();
        if !length.is_finite() || length < f64::from(f32::MIN_POSITIVE) {
            return None;
        }
        vector
            .iter_mut()
            .for_each(|number| *number = (f64::from(*number) / length) as f32);
        Some(vector)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<Vec<f32>> {
        serde_json::from_str::<Numbers>(json).ok().map(|numbers| numbers.0)
    }

    #[test]
    fn both_ways_of_writing_give_the_same_numbers() {
        let bytes: Vec<u8> = [0.5_f32, -2.0].iter().flat_map(|number| number.to_le_bytes()).collect();
        let text = STANDARD.encode(bytes);
        assert_eq!(read(&format!("\"{text}\"")), Some(vec![0.5, -2.0]));
        assert_eq!(read("[0.5, -2]"), Some(vec![0.5, -2.0]));
    }

    #[test]
    fn what_is_neither_is_refused() {
        for wrong in ["\"?\"", "\"AAA=\"", "[\"0.5\"]", "{}", "1", "null"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert!(read("[1, null]").is_some_and(|numbers| numbers[1].is_nan()));
    }

    #[test]
    fn a_vector_without_direction_is_none() {
        assert_eq!(Numbers(vec![3.0, 4.0]).normalised(), Some(vec![0.6, 0.8]));
        for wrong in [vec![], vec![0.0, 0.0], vec![f32::NAN, 1.0], vec![f32::INFINITY, 1.0]] {
            assert_eq!(Numbers(wrong).normalised(), None);
        }
        assert!(Numbers(vec![f32::MAX, f32::MAX]).normalised().is_some());
    }
}
