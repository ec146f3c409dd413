//! The seam between the pipeline and whoever keeps the vectors.
//!
//! A store may be called from many tasks at once. Upserts and deletes are idempotent: repeating one changes nothing.
//! They become visible at once and are durable after the next [`VectorStore::flush`] of the collection returned; until
//! then a crash may lose them, and the caller must not tell anyone that they happened.

use async_trait::async_trait;
use uuid::Uuid;

use crate::batch::{Failure, FailureClass};
use crate::point::{Point, PointPayload};

/// Keeps points in collections.
#[async_trait]
pub trait VectorStore: Send + Sync {
    /// Makes the collection if it is missing. One that exists with other dimensions is a configuration error.
    async fn ensure_collection(&self, spec: &CollectionSpec) -> Result<(), StoreError>;

    /// Names of all collections, sorted.
    async fn collections(&self) -> Result<Vec<String>, StoreError>;

    /// Removes the collection with all its points; one that is missing is no error.
    async fn drop_collection(&self, collection: &str) -> Result<(), StoreError>;

    /// Writes the points, replacing whole any of the same id.
    async fn upsert(&self, collection: &str, points: Vec<Point>) -> Result<(), StoreError>;

    /// Removes the points; ids that are not there are no error.
    async fn delete(&self, collection: &str, ids: Vec<Uuid>) -> Result<(), StoreError>;

    /// Makes everything that returned before this call durable.
    async fn flush(&self, collection: &str) -> Result<(), StoreError>;

    /// The `limit` points nearest to the vector by cosine, best first.
    async fn search(&self, collection: &str, vector: Vec<f32>, limit: usize) -> Result<Vec<Hit>, StoreError>;

    /// A page of point ids in ascending order, those after `after`; shorter than `limit` only at the end.
    async fn scroll(&self, collection: &str, after: Option<Uuid>, limit: usize) -> Result<Vec<Uuid>, StoreError>;

    /// Exact number of points.
    async fn count(&self, collection: &str) -> Result<u64, StoreError>;

    /// Builds what makes searches of a large collection fast. May take minutes; upserts, deletes and searches go on
    /// meanwhile.
    async fn optimize(&self, collection: &str) -> Result<(), StoreError>;
}

/// A collection and the vector space it is pinned to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionSpec {
    /// Unique in the store; letters, digits, `_` and `-`, at most 200 of them.
    pub name: String,
    /// Numbers in each vector.
    pub dimensions: usize,
}

/// A point that a search found.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The point's id.
    pub id: Uuid,
    /// Cosine similarity, 1 is the same direction.
    pub score: f32,
    /// What the point says about itself.
    pub payload: PointPayload,
}

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The collection is not there.
    #[error("collection \"{0}\" does not exist")]
    NoCollection(String),
    /// Another process has the store open, or has just let go of it.
    #[error("{0}")]
    InUse(String),
    /// Somebody has to change something: wrong dimensions, no rights, disk full.
    #[error("{0}")]
    Configuration(String),
    /// May succeed when repeated.
    #[error("{0}")]
    Transient(String),
}

impl StoreError {
    /// The consequence of this error.
    pub fn failure(&self) -> Failure {
        let class = match self {
            Self::InUse(_) | Self::Configuration(_) => FailureClass::Configuration,
            Self::NoCollection(_) | Self::Transient(_) => FailureClass::Transient,
        };
        Failure::new(class, self.to_string())
    }
}
