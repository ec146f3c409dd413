//! How a collection was made, for tests that want to know.

use qdrant_client::qdrant::{CreateCollection, CreateFieldIndexCollection};

/// A collection, seen without its points.
#[derive(Debug, Clone)]
pub struct CollectionRecord {
    /// The request that made it, as it came.
    pub created: CreateCollection,
    /// Its payload indexes, in the order in which they were made.
    pub indexes: Vec<IndexRecord>,
    /// Points in it.
    pub points: usize,
}

/// A payload index.
#[derive(Debug, Clone)]
pub struct IndexRecord {
    /// The request that made it, as it came.
    pub created: CreateFieldIndexCollection,
    /// Whether nothing had been upserted into the collection by then.
    pub before_data: bool,
}
