//! Vectors that follow from the text alone.

use sha2::{Digest, Sha256};

/// The vector of a text: the same text has the same one, different texts have different ones. Of length one.
pub fn embedding(text: &str, dimensions: usize) -> Vec<f32> {
    let mut vector = Vec::with_capacity(dimensions);
    let mut block = 0_u32;
    while vector.len() < dimensions {
        let digest = Sha256::new()
            .chain_update(text)
            .chain_update(block.to_be_bytes())
            .finalize();
        let numbers = digest.chunks_exact(2).map(|pair| {
            let number = u16::from_be_bytes([pair[0], pair[1]]);
            (f32::from(number) + 0.5) / 32_768.0 - 1.0
        });
        vector.extend(numbers.take(dimensions - vector.len()));
        block += 1;
    }
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|number| *number /= length);
    vector
}

/// Tokens that the service charges for a text: one for four bytes, and one more.
pub fn tokens(text: &str) -> usize {
    text.len() / 4 + 1
}
