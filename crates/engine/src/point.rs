//! Points: what the store keeps of a record, and the identity that makes writing them repeatable.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::batch::Target;

/// Characters of the text that a point carries for people to read.
const SNIPPET_CHARS: usize = 500;

/// One vector with its identity and payload.
#[derive(Debug, Clone)]
pub struct Point {
    /// Deterministic, see [`point_id`].
    pub id: Uuid,
    /// As long as the collection's dimensions, finite, of length one.
    pub vector: Vec<f32>,
    /// What a search shows and filters by.
    pub payload: PointPayload,
}

/// What a point says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PointPayload {
    /// The client the record belongs to.
    pub client_id: i64,
    /// The source's name when the point was written.
    pub source: String,
    /// The key as text.
    pub record_id: String,
    /// The kind of text that was embedded.
    pub vector_type: String,
    /// Position among the record's chunks, from 0.
    pub chunk_no: u32,
    /// The first 500 characters of the chunk.
    pub text_content: String,
    /// SHA-256 of the record's whole text, in hexadecimal.
    pub content_hash: String,
    /// Name of the provider.
    pub provider: String,
    /// Name of the model.
    pub model: String,
    /// When the vector was made, seconds since 1970.
    pub generated_at: f64,
}

/// The id of a record's chunk: the same input gives the same id for ever, so a repeated upsert replaces the point it
/// wrote before.
pub fn point_id(target: &Target, record_id: &str, chunk_no: u32) -> Uuid {
    // Fixed-width numbers first and lengths before texts: no two inputs share a name.
    let mut name = Vec::with_capacity(32 + target.vector_type.len() + record_id.len());
    name.extend_from_slice(&target.client_id.to_be_bytes());
    name.extend_from_slice(&target.source_oid.to_be_bytes());
    name.extend_from_slice(&chunk_no.to_be_bytes());
    name.extend_from_slice(&(target.vector_type.len() as u64).to_be_bytes());
    name.extend_from_slice(target.vector_type.as_bytes());
    name.extend_from_slice(record_id.as_bytes());
    Uuid::new_v5(&target.namespace, &name)
}

/// The first 500 characters of a text.
pub fn snippet(text: &str) -> String {
    text.chars().take(SNIPPET_CHARS).collect()
}
