//! Vectors and points to test with: the same numbers on every run, made by a generator of our own so that no library's
//! change changes them.

use uuid::Uuid;
use vb_engine::keywords::Keywords;
use vb_engine::point::{Point, PointPayload};

/// SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 up to, but not including, `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// About normal: the sum of four even ones.
    pub(crate) fn normal(&mut self) -> f32 {
        let even = |bits: u64| (bits as u16) as f32 / 65_536.0 - 0.5;
        let bits = self.next();
        (even(bits) + even(bits >> 16) + even(bits >> 32) + even(bits >> 48)) * 1.732
    }

    pub(crate) fn vector(&mut self, dimensions: usize) -> Vec<f32> {
        unit((0..dimensions).map(|_| self.normal()).collect())
    }
}

/// Vectors as a model makes them: in many dimensions, but near a surface of few.
pub(crate) struct Embeddings {
    random: Random,
    basis: Vec<Vec<f32>>,
    topics: Vec<Vec<f32>>,
}

impl Embeddings {
    const FREEDOMS: usize = 32;
    const TOPICS: usize = 100;

    pub(crate) fn new(seed: u64, dimensions: usize) -> Self {
        let mut random = Random::new(seed);
        let basis = (0..Self::FREEDOMS).map(|_| random.vector(dimensions)).collect();
        let topics = (0..Self::TOPICS).map(|_| random.vector(Self::FREEDOMS)).collect();
        Self { random, basis, topics }
    }

    pub(crate) fn vector(&mut self) -> Vec<f32> {
        let topic = &self.topics[self.random.below(Self::TOPICS as u64) as usize];
        let place: Vec<f32> = topic.iter().map(|x| x + 0.15 * self.random.normal()).collect();
        let mut vector = vec![0.0; self.basis[0].len()];
        for (x, direction) in place.iter().zip(&self.basis) {
            vector.iter_mut().zip(direction).for_each(|(v, d)| *v += x * d);
        }
        unit(vector.iter().map(|v| v + 0.01 * self.random.normal()).collect())
    }
}

pub(crate) fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|x| *x /= length);
    vector
}

/// An id that is scattered over the whole range.
pub(crate) fn id(number: u64) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &number.to_be_bytes())
}

/// A point with everything about it derived from its number and version.
pub(crate) fn point(number: u64, version: u64, dimensions: usize) -> Point {
    let mut random = Random::new(number.wrapping_mul(1_000_003).wrapping_add(version));
    point_at(number, version, random.vector(dimensions))
}

/// A point at a place of one's own.
pub(crate) fn point_at(number: u64, version: u64, vector: Vec<f32>) -> Point {
    let payload = payload(number, version);
    Point {
        id: id(number),
        vector,
        keywords: Keywords::of_text(&payload.text_content),
        payload,
    }
}

pub(crate) fn payload(number: u64, version: u64) -> PointPayload {
    PointPayload {
        client_id: -7,
        source: "public.\"Größen\"".into(),
        record_id: number.to_string(),
        vector_type: "content".into(),
        chunk_no: (number % 3) as u32,
        text_content: format!(
            "record {number} in version {version}: {}",
            "a text \u{1F600} ".repeat(20)
        ),
        content_hash: format!("{version:064x}"),
        provider: "sentence_transformers".into(),
        model: "all-MiniLM-L6-v2".into(),
        generated_at: 1_763_800_000.123_456 + version as f64,
        fields: serde_json::Map::new(),
        fields_hash: String::new(),
    }
}

/// Points of these numbers in version 0.
pub(crate) fn points(numbers: std::ops::Range<u64>, dimensions: usize) -> Vec<Point> {
    numbers.map(|number| point(number, 0, dimensions)).collect()
}

/// Ids of these numbers, sorted.
pub(crate) fn sorted_ids(numbers: impl IntoIterator<Item = u64>) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = numbers.into_iter().map(id).collect();
    ids.sort_unstable();
    ids
}

/// The nearest by plain arithmetic, best first, with their similarity.
pub(crate) fn nearest(points: &[Point], vector: &[f32], limit: usize) -> Vec<(Uuid, f32)> {
    let similarity = |point: &Point| point.vector.iter().zip(vector).map(|(a, b)| a * b).sum::<f32>();
    let mut found: Vec<(Uuid, f32)> = points.iter().map(|point| (point.id, similarity(point))).collect();
    found.sort_unstable_by(|a, b| b.1.total_cmp(&a.1));
    found.truncate(limit);
    found
}
