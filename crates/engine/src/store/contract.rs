//! The seam between the pipeline and whoever keeps the vectors.
//!
//! A store may be called from many tasks at once. Upserts and deletes are idempotent: repeating one changes nothing.
//! They become visible at once and are durable after the next [`VectorStore::flush`] of the collection returned; until
//! then a crash may lose them, and the caller must not tell anyone that they happened. After
//! [`StoreError::Unavailable`] it is not known whether something happened: repeat it.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::StoreError;
use super::share::{Condition, Share};
use crate::fields::{Field, FieldsChange};
use crate::keywords::Keywords;
use crate::point::{Point, PointKey, PointPayload, StoredPoint};

/// Keeps points in collections.
#[async_trait]
pub trait VectorStore: Send + Sync {
    /// Makes the collection if it is missing, and says whether it was; has its fields indexed, of one that exists too. One that exists with other dimensions is a
    /// configuration error.
    async fn ensure_collection(&self, spec: &CollectionSpec) -> Result<bool, StoreError>;

    /// Names of all collections, sorted; those of others too, where a store has several users.
    async fn collections(&self) -> Result<Vec<String>, StoreError>;

    /// Removes the collection with all its points; one that is missing is no error.
    async fn drop_collection(&self, collection: &str) -> Result<(), StoreError>;

    /// Lets another name stand for the collection, instead of what it stood for. For people and programs that read the
    /// store themselves; a store that only this process reads has no use for it.
    async fn set_alias(&self, alias: &str, collection: &str) -> Result<(), StoreError>;

    /// Writes the points, replacing whole any of the same id.
    async fn upsert(&self, share: &Share, points: Vec<Point>) -> Result<(), StoreError>;

    /// Lets the points carry other fields; those that are not there are left out.
    async fn set_fields(&self, share: &Share, changes: &[FieldsChange]) -> Result<(), StoreError>;

    /// Removes the points; keys that are not there are no error.
    async fn delete(&self, share: &Share, keys: Vec<PointKey>) -> Result<(), StoreError>;

    /// Removes all points.
    async fn clear(&self, share: &Share) -> Result<(), StoreError>;

    /// Makes everything durable that returned before this call.
    async fn flush(&self, collection: &str) -> Result<(), StoreError>;

    /// The points nearest to the question, best first.
    async fn search(&self, share: &Share, search: Search) -> Result<Vec<Hit>, StoreError>;

    /// A page of points in ascending order of their keys, those after `after`; shorter than `limit` only at the end.
    async fn scroll(
        &self,
        share: &Share,
        after: Option<PointKey>,
        limit: usize,
        detail: Detail,
    ) -> Result<Vec<StoredPoint>, StoreError>;

    /// Exact number of points.
    async fn count(&self, share: &Share) -> Result<u64, StoreError>;

    /// Builds what makes searches of a large collection fast. May take minutes; upserts, deletes and searches go on
    /// meanwhile. A store that does so by itself has nothing to do.
    async fn optimize(&self, collection: &str) -> Result<(), StoreError>;
}

/// A collection and the vector space it is pinned to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CollectionSpec {
    /// Unique in the store; letters, digits, `_` and `-`, at most 200 of them.
    pub name: String,
    /// Numbers in each vector.
    pub dimensions: usize,
    /// Whether several clients have shares of it.
    pub is_shared: bool,
    /// Columns that its points carry.
    pub fields: Vec<Field>,
}

/// What is searched for.
#[derive(Debug, Clone)]
pub struct Search {
    /// What points are compared with.
    pub question: Question,
    /// The most points wanted.
    pub limit: usize,
    /// What has to be true of each of them.
    pub conditions: Vec<Condition>,
}

/// What points are compared with.
#[derive(Debug, Clone)]
pub enum Question {
    /// Their vectors with this one, by cosine.
    Dense(Vec<f32>),
    /// Their keywords with these, by BM25: rare words of the share count more than frequent ones, and points without any
    /// of them are not found.
    Keywords(Keywords),
}

/// A point that a search found.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The point's id.
    pub id: Uuid,
    /// Cosine similarity, where 1 is the same direction, or the sum of the weights of the words that fit.
    pub score: f32,
    /// What the point says about itself.
    pub payload: PointPayload,
}

/// How much of each point is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Its key.
    Key,
    /// What it is made from as well.
    Identity,
    /// All of it.
    Whole,
}
