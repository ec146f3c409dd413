//! What is said over the service's socket.
//!
//! A client sends a request and reads one response, as often as it likes on one connection. Each of them is one frame:
//! its length in four bytes, most significant first, then so many bytes of JSON.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::batch::{FailureClass, Origin, Target};
use crate::client_budgets::Payer;
use crate::fields::{Field, Fields};
use crate::point::{PointIdentity, PointKey};
use crate::provider::config::ProviderConfig;
use crate::provider::contract::Purpose;
use crate::store::place::Place;
use crate::store::share::Condition;

pub use vb_formats::frame::MAX_FRAME;

/// A question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Is anybody there? Answered with [`Answer::Pong`].
    Ping,
    /// Embeds the texts. Answered with [`Answer::Embeddings`].
    Embed {
        /// Who embeds them.
        provider: ProviderConfig,
        /// The texts, none empty.
        texts: Vec<String>,
        /// What the embeddings are for.
        purpose: Purpose,
    },
    /// Finds the points that answer a question best. Answered with [`Answer::Hits`]; a collection that does not exist
    /// has no hits.
    Search {
        /// Who embeds the query: the model the collection is pinned to. Needed unless only words are compared.
        provider: Option<ProviderConfig>,
        /// Who pays for that; `None` when nobody's limits count.
        payer: Option<Box<Payer>>,
        /// Chosen at random for each question: who asks it once more soon, for more hits, pays for it once.
        question: Uuid,
        /// Where to search.
        place: Place,
        /// Numbers in each vector of the collection, if known: a provider with others is refused by name.
        dimensions: Option<usize>,
        /// What to search for; not empty.
        query: String,
        /// The most hits wanted.
        limit: usize,
        /// How to compare.
        mode: SearchMode,
        /// What has to be true of the points' columns.
        conditions: Vec<Condition>,
    },
    /// Makes one real call of the provider. Answered with [`Answer::Check`], also when the provider fails.
    Check {
        /// Who is checked.
        provider: ProviderConfig,
    },
    /// Counts the tokens of texts as the provider's model sees them. Answered with [`Answer::Tokens`]; nobody is called.
    CountTokens {
        /// Whose model.
        provider: ProviderConfig,
        /// The texts.
        texts: Vec<String>,
    },
    /// Counts the collection's points. Answered with [`Answer::Count`]; 0 when the collection does not exist.
    Count {
        /// What is counted.
        place: Place,
    },
    /// A page of points, each with what it is made from. Answered with [`Answer::Points`]; empty when the collection does
    /// not exist.
    Points {
        /// What is listed.
        place: Place,
        /// The last key of the page before.
        after: Option<PointKey>,
        /// The most points wanted.
        limit: usize,
    },
    /// Writes points of vectors that somebody has already, durably. Answered with [`Answer::Imported`]. Only while no batch
    /// can write to the place.
    Import {
        /// Where the vectors go and whose they are.
        target: Target,
        /// Name of the provider that questions will be embedded by.
        provider: String,
        /// The model that made them.
        model: String,
        /// The records with their vectors.
        records: Vec<ImportRecord>,
        /// Points that these records have now.
        present_points: Vec<Uuid>,
    },
    /// Removes points, durably. Answered with [`Answer::Done`], also when they or their collection do not exist. Only while
    /// no batch can write to the place.
    Delete {
        /// Where they are.
        place: Place,
        /// Which.
        keys: Vec<PointKey>,
    },
    /// Removes all points of a place, and a whole collection with them, durably. Answered with [`Answer::Done`]. Only while
    /// no batch can write to the place.
    Remove {
        /// What is removed.
        place: Place,
    },
    /// Makes a page of points equal in another place, whose collection is made with the first page if it is missing: copies those that differ. Durable when it is answered, with [`Answer::Copied`].
    Copy {
        /// Where they are.
        from: Place,
        /// Where they are to be.
        to: Place,
        /// Numbers in each vector.
        dimensions: usize,
        /// Columns that points carry.
        fields: Vec<Field>,
        /// Whether points that are too many are removed: only while nobody writes to the other place.
        exact: bool,
        /// The last key of the page before.
        after: Option<PointKey>,
        /// The most points looked at.
        limit: usize,
    },
    /// Has the search index of a collection built, in the background, and lets another name stand for it. Answered with
    /// [`Answer::Done`].
    Finish {
        /// The collection.
        place: Place,
        /// The other name.
        alias: Option<String>,
    },
}

/// How a search compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchMode {
    /// By meaning: cosine of the embeddings.
    Dense,
    /// By words: BM25.
    Keyword,
    /// By both: the places in the two rankings count.
    Hybrid,
}

/// What comes back: the answer, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// The answer to the request.
    Ok(Answer),
    /// Why there is no answer.
    Err(ServiceError),
}

/// The answer to a request, of the kind that the request names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The service is there.
    Pong,
    /// One vector for each text, in their order.
    Embeddings(Vec<Vec<f32>>),
    /// Points found, best first.
    Hits(Vec<SearchHit>),
    /// What the call of the provider gave.
    Check(CheckReport),
    /// Tokens of each text, however long it is, without special tokens; and how many of them the model sees.
    Tokens {
        /// For each text, in order.
        counts: Vec<usize>,
        /// The model's window.
        window: usize,
    },
    /// Exact number of points.
    Count(u64),
    /// Points in ascending order of their keys.
    Points(Vec<FoundPoint>),
    /// For each record, in order: the id of its point, or why its vector is none.
    Imported(Vec<Result<Uuid, String>>),
    /// It is done.
    Done,
    /// How many points were copied, and the last key looked at.
    Copied {
        /// Points copied.
        points: u64,
        /// Points that are not ours and were left behind.
        left: u64,
        /// The last key looked at; `None` when there are no more.
        last: Option<PointKey>,
    },
}

/// A record whose vector somebody has already.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportRecord {
    /// The key as text.
    pub record_id: String,
    /// The text that the vector is of.
    pub text: String,
    /// SHA-256 of the text, in hexadecimal.
    pub content_hash: String,
    /// Its columns.
    pub fields: Fields,
    /// The vector, of any length but zero.
    pub vector: Vec<f32>,
}

/// A point that is in the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundPoint {
    /// Its key.
    pub key: PointKey,
    /// What it is made from; `None` when it is not one of ours.
    pub identity: Option<PointIdentity>,
}

/// A point that a search found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchHit {
    /// By meaning: cosine similarity, where 1 is the same direction; by words: their weights; by both: 1 / (60 + place), added.
    pub score: f32,
    /// The record's key as text.
    pub record_id: String,
    /// Which of the record's chunks.
    pub chunk_no: u32,
    /// The first 500 characters of the chunk.
    pub text_content: String,
}

/// What the call of a provider gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckReport {
    /// Whether it gave a usable embedding.
    pub ok: bool,
    /// How long the call took, in milliseconds, without loading the model.
    pub latency_ms: f64,
    /// Numbers in its embeddings; `None` when it could not be reached.
    pub dimensions: Option<usize>,
    /// What was found, for people.
    pub detail: String,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct ServiceError {
    /// What to do about it. `Record` says that the request itself is at fault.
    pub class: FailureClass,
    /// Who failed.
    pub origin: Origin,
    /// What was wrong, for people.
    pub message: String,
}
