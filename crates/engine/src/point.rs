//! Points: what the store keeps of a record, and the identity that makes writing them repeatable.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::batch::Target;
use crate::fields::{self, Fields};
use crate::keywords::Keywords;

/// Characters of the text that a point carries for people to read.
const SNIPPET_CHARS: usize = 500;

/// One vector with its identity and payload.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Deterministic, see [`point_id`].
    pub id: Uuid,
    /// As long as the collection's dimensions, finite, of length one.
    pub vector: Vec<f32>,
    /// The words of its text.
    pub keywords: Keywords,
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
    /// Values of [`Fields`].
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Value>,
    /// Hash of [`Fields`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fields_hash: String,
}

impl PointPayload {
    /// Names of what a search shows: all but the columns, which may be long.
    pub(crate) const SHOWN: [&str; 10] = [
        "client_id",
        "source",
        "record_id",
        "vector_type",
        "chunk_no",
        "text_content",
        "content_hash",
        "provider",
        "model",
        "generated_at",
    ];

    /// Bytes of its text and columns, about.
    pub(crate) fn size(&self) -> usize {
        self.text_content.len() + fields::size(&self.fields)
    }
}

/// What names a point in a store. Ours have ids; somebody else's may have numbers, which come before all ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PointKey {
    /// A number.
    Number(u64),
    /// An id.
    Id(Uuid),
}

impl PointKey {
    /// The first key that can come after this one.
    pub(crate) fn next(self) -> Option<Self> {
        match self {
            Self::Number(number) => Some(number.checked_add(1).map_or(Self::Id(Uuid::nil()), Self::Number)),
            Self::Id(id) => id.as_u128().checked_add(1).map(|id| Self::Id(Uuid::from_u128(id))),
        }
    }
}

impl From<Uuid> for PointKey {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}

impl fmt::Display for PointKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(formatter),
            Self::Id(id) => id.fmt(formatter),
        }
    }
}

/// What a point is made from, a part of its [`PointPayload`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PointIdentity {
    /// The client the record belongs to.
    pub client_id: i64,
    /// The key as text.
    pub record_id: String,
    /// The kind of text that was embedded.
    pub vector_type: String,
    /// Position among the record's chunks, from 0.
    pub chunk_no: u32,
    /// SHA-256 of the record's whole text, in hexadecimal.
    pub content_hash: String,
    /// When the vector was made, seconds since 1970: the same text may have been cut in another way before.
    pub generated_at: f64,
    /// Hash of the columns it carries.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fields_hash: String,
}

impl PointIdentity {
    /// Names of these fields in a payload.
    pub(crate) const FIELDS: [&str; 7] = [
        "client_id",
        "record_id",
        "vector_type",
        "chunk_no",
        "content_hash",
        "generated_at",
        "fields_hash",
    ];
}

/// A point as a store has it, as much of it as was asked for. It may be somebody else's.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredPoint {
    /// Its key.
    pub key: PointKey,
    /// What it is made from; `None` when that was not asked for, or is not what our points say.
    pub identity: Option<PointIdentity>,
    /// All of it; `None` when that was not asked for, or it is not as our points are.
    pub whole: Option<Point>,
}

/// Who made a vector, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MadeBy<'a> {
    /// Name of the provider.
    pub(crate) provider: &'a str,
    /// Name of the model.
    pub(crate) model: &'a str,
    /// Seconds since 1970.
    pub(crate) at: f64,
}

/// The text that a vector was made from, and where it is from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chunk<'a> {
    /// The key of its record as text.
    pub(crate) record_id: &'a str,
    /// Position among the record's chunks, from 0.
    pub(crate) number: u32,
    /// The text.
    pub(crate) text: &'a str,
    /// SHA-256 of the record's whole text, in hexadecimal.
    pub(crate) content_hash: &'a str,
    /// Columns of its record.
    pub(crate) fields: &'a Fields,
}

impl Point {
    /// The point of a chunk.
    pub(crate) fn of(target: &Target, chunk: Chunk<'_>, made_by: MadeBy<'_>, vector: Vec<f32>) -> Self {
        Self {
            id: point_id(target, chunk.record_id, chunk.number),
            vector,
            keywords: Keywords::of_text(chunk.text),
            payload: PointPayload {
                client_id: target.client_id,
                source: target.source.clone(),
                record_id: chunk.record_id.to_owned(),
                vector_type: target.vector_type.clone(),
                chunk_no: chunk.number,
                text_content: snippet(chunk.text),
                content_hash: chunk.content_hash.to_owned(),
                provider: made_by.provider.to_owned(),
                model: made_by.model.to_owned(),
                generated_at: made_by.at,
                fields: chunk.fields.values.clone(),
                fields_hash: chunk.fields.hash.clone(),
            },
        }
    }
}

/// The fields of a [`PointPayload`] that say these columns, to be set on points that have others.
pub(crate) fn fields_payload(fields: &Fields) -> Map<String, Value> {
    let Fields { values, hash } = fields.clone();
    Map::from_iter([
        ("fields".to_owned(), Value::Object(values)),
        ("fields_hash".to_owned(), Value::String(hash)),
    ])
}

/// This moment in seconds since 1970.
pub(crate) fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |age| age.as_secs_f64())
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
