//! From one vector for each token to one vector for each text.

/// The mean of a text's token vectors, brought to length one; `None` when that gives numbers that are not finite.
///
/// `token_vectors` holds the vectors of the text's own tokens one after the other, each of `dimensions` numbers,
/// padding left out.
pub(super) fn mean_of_length_one(token_vectors: &[f32], dimensions: usize) -> Option<Vec<f32>> {
    let mut sum = vec![0.0f32; dimensions];
    for token_vector in token_vectors.chunks_exact(dimensions) {
        for (total, number) in sum.iter_mut().zip(token_vector) {
            *total += number;
        }
    }
    // The number of tokens falls out: scaling a vector does not change its direction.
    let length = sum.iter().map(|number| f64::from(*number).powi(2)).sum::<f64>().sqrt();
    sum.iter_mut()
        .for_each(|number| *number = (f64::from(*number) / length) as f32);
    sum.iter().all(|number| number.is_finite()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_mean_points_between_its_tokens() {
        let vector = mean_of_length_one(&[2.0, 0.0, 0.0, 2.0], 2).expect("finite");
        assert!(
            vector
                .iter()
                .all(|number| (number - std::f32::consts::FRAC_1_SQRT_2).abs() < 1e-6)
        );
    }

    #[test]
    fn what_has_no_direction_or_is_not_finite_gives_nothing() {
        assert_eq!(mean_of_length_one(&[0.0, 0.0], 2), None);
        assert_eq!(mean_of_length_one(&[1.0, -1.0, -1.0, 1.0], 2), None);
        assert_eq!(mean_of_length_one(&[f32::NAN, 1.0], 2), None);
        assert_eq!(mean_of_length_one(&[f32::INFINITY, 1.0], 2), None);
        assert_eq!(mean_of_length_one(&[], 2), None);
    }

    proptest! {
        #[test]
        fn the_length_is_one(numbers in vec(-100.0f32..100.0, 8..=64)) {
            let whole = &numbers[..numbers.len() / 8 * 8];
            if let Some(vector) = mean_of_length_one(whole, 8) {
                let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
                prop_assert!((length - 1.0).abs() < 1e-5);
            }
        }
    }
}
