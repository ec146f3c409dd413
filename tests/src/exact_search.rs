//! Search in plain arithmetic: every vector is compared with the query.

/// Cosine of the angle between two vectors.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len(), "vectors of one space have the same length");
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    product(a, b) / (product(a, a) * product(b, b)).sqrt()
}

/// The similarities of all vectors to the query with their ids, best first.
pub fn ranked<'a>(query: &[f32], vectors: impl IntoIterator<Item = (&'a String, &'a Vec<f32>)>) -> Vec<(&'a str, f64)> {
    let mut ranked: Vec<_> = vectors
        .into_iter()
        .map(|(id, vector)| (id.as_str(), cosine(query, vector)))
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_comes_first_whatever_its_length() {
        let vectors = [("far".to_owned(), vec![0.0, 1.0]), ("near".to_owned(), vec![20.0, 1.0])];
        let ranked = ranked(&[1.0, 0.0], vectors.iter().map(|(id, vector)| (id, vector)));
        assert_eq!(ranked.iter().map(|hit| hit.0).collect::<Vec<_>>(), ["near", "far"]);
        assert!(ranked[0].1 > 0.99 && ranked[1].1.abs() < 1e-9);
    }
}
